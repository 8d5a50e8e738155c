// Which of the allowed actions is the one obvious next step, and which fields each needs. Pure.
import type { Case, CaseAction } from '../../api/types'

export type Field =
  | 'department' | 'reason' | 'text' | 'photos' | 'note' | 'until' | 'result' | 'met' | 'into' | 'category' | 'condition' | 'limit'
  | 'address' | 'spot' | 'description'
/** The contract's fields; `needs` from the hub says which of them must be filled. */
const FIELDS: Record<string, readonly Field[]> = {
  verify: ['note'], verified: ['result', 'text', 'photos'], correct: ['category', 'condition', 'limit', 'address', 'spot', 'description'],
  file: ['category', 'condition', 'limit', 'spot', 'department', 'note'], refuse: ['reason'], merge: ['into', 'note'],
  dispatch: ['department', 'note'], accept: [], return: ['reason'], transfer: ['department', 'reason'], join: ['department', 'text'],
  suspend: ['until', 'reason'], resume: ['note'], extend: ['reason'], feedback: ['text', 'photos'], check: ['note'],
  checked: ['result', 'text', 'photos'], rework: ['reason'], close: ['met', 'note'], void: ['reason'], force_close: ['reason'],
  appeal: ['reason', 'photos'], reopen: ['reason', 'photos'], consent: ['note'], deny: ['reason'], take_back: [],
}
const ORDER = [
  'consent', 'deny', 'verified', 'checked', 'accept', 'feedback', 'resume', 'file', 'dispatch', 'check', 'close', 'rework', 'verify', 'correct', 'join',
  'extend', 'transfer', 'suspend', 'take_back', 'merge', 'appeal', 'reopen', 'refuse', 'return', 'force_close', 'void',
]
/** What others consent to (domain.md §4): who does it only asks for it. */
const ASKED = new Set(['transfer', 'suspend', 'extend', 'appeal'])
export const isAsked = (action: CaseAction): boolean => ASKED.has(action.action)

const FIRST = new Set(['consent', 'accept', 'feedback', 'resume', 'file', 'dispatch', 'check', 'close'])
/** Fields that must be filled although the hub takes another in their place. */
const MUST: Record<string, readonly Field[]> = {
  dispatch: ['department'], return: ['reason'], rework: ['reason'], void: ['reason'], force_close: ['reason'], refuse: ['reason'],
  verified: ['result'], checked: ['result'], suspend: ['until', 'reason'], extend: ['reason'], transfer: ['department', 'reason'],
  join: ['department', 'text'], merge: ['into'], close: ['met'], appeal: ['reason'], reopen: ['reason'], deny: ['reason'],
}
const RESULTS: Record<string, readonly string[]> = { verified: ['present', 'absent', 'unclear'], checked: ['fixed', 'not_fixed', 'unclear'] }

/** Whether `own` unit leads a joint case whose assistants have not answered: it says why it does not wait. */
const goesAhead = (action: CaseAction, item?: Case, own?: string | null): boolean =>
  action.action === 'feedback' && Boolean(item?.parts?.some((part) => part.open)) && !item?.parts?.some((part) => part.department.id === own)

/** `own`: the reader's unit. */
export function fieldsOf(action: CaseAction, item?: Case, own?: string | null): Field[] {
  // Whoever files is asked for the place only where the report said it in words alone.
  const known = (FIELDS[action.action] ?? []).filter((field) => field !== 'spot' || action.action === 'correct' || !item?.grid)
  if (goesAhead(action, item, own)) known.splice(1, 0, 'reason')
  return [...known, ...(action.needs as Field[]).filter((field) => !known.includes(field))]
}

export const mustFill = (action: CaseAction, field: Field, item?: Case, own?: string | null): boolean =>
  (MUST[action.action] ?? []).includes(field) || (field === 'reason' && goesAhead(action, item, own))

export const resultsOf = (action: CaseAction): readonly string[] => RESULTS[action.action] ?? []

/** The type that a photo of this action usually has (domain.md §3.3). */
export function photoTypeOf(action: string): string {
  if (action === 'feedback' || action === 'checked') return 'after'
  return action === 'verified' || action === 'report' ? 'near' : 'before'
}

/** The proposed action when a re-check proposes one, else the first that moves the case on; never void or return. */
export function nextStep(item: Case): CaseAction | null {
  const actions = item.actions ?? []
  const proposed = item.recheck?.state === 'done' ? item.recheck.proposal : null
  const found = actions.find((action) => action.action === proposed)
  if (found) return found
  const visit = item.visits?.find((other) => other.state === 'open')
  const looking = item.recheck && item.recheck.state !== 'done'
  for (const name of ORDER) {
    const answers = (name === 'verified' || name === 'checked') && visit
    if ((!FIRST.has(name) && !answers) || (looking && name === 'close')) continue
    const action = actions.find((other) => other.action === name)
    if (action) return action
  }
  return null
}

/** The rest, in a fixed order, the destructive one last. */
export function otherSteps(item: Case): CaseAction[] {
  const first = nextStep(item)
  const rank = (action: CaseAction): number => ORDER.indexOf(action.action)
  return (item.actions ?? []).filter((action) => action !== first).sort((a, b) => rank(a) - rank(b))
}
