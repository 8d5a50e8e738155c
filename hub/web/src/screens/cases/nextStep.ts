// Which of the allowed actions is the one obvious next step, and which fields each needs. Pure.
import type { Case, CaseAction } from '../../api/types'

export type Field = 'department' | 'reason' | 'text' | 'photos' | 'note'
/** The contract's fields; `needs` from the hub says which of them must be filled. */
const FIELDS: Record<string, readonly Field[]> = {
  dispatch: ['department', 'note'], accept: [], return: ['reason'], feedback: ['text', 'photos'], check: [],
  rework: ['reason'], close: ['note'], void: ['reason'],
}
const ORDER = ['accept', 'feedback', 'dispatch', 'check', 'close', 'rework', 'return', 'void']

export function fieldsOf(action: CaseAction): Field[] {
  const known = FIELDS[action.action] ?? []
  return [...known, ...(action.needs as Field[]).filter((field) => !known.includes(field))]
}

/** The proposed action when a re-check proposes one, else the first that moves the case on; never void or return. */
export function nextStep(item: Case): CaseAction | null {
  const actions = item.actions ?? []
  const proposed = item.recheck?.state === 'done' ? item.recheck.proposal : null
  const found = actions.find((action) => action.action === proposed)
  if (found) return found
  const looking = item.recheck && item.recheck.state !== 'done'
  const moves = ORDER.filter((name) => !['void', 'return', 'rework'].includes(name) && !(looking && name === 'close'))
  for (const name of moves) {
    const action = actions.find((other) => other.action === name)
    if (action) return action
  }
  return null
}

/** The rest, in a fixed order, the destructive one last. */
export function otherSteps(item: Case): CaseAction[] {
  const first = nextStep(item)
  return (item.actions ?? []).filter((action) => action !== first).sort((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action))
}
