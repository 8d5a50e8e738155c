// The validation queue: what waits, what is looked at, and the verdicts with their undo.
import { computed, ref, shallowRef } from 'vue'
import { all, ApiError, get, post } from '../api/client'
import { onFeed, onHealed, withFeed } from '../api/feed'
import type { Alert, Around, Case, Reason, Rejected } from '../api/types'
import { newest } from '../logic/newest'
import { before, due, firstFree, following, heldByOther, stepped, withAlert, withoutAlert } from '../logic/queue'
import { ring } from './alarms'
import { now } from './now'
import { session } from './session'

export type QueueState = 'pending_review' | 'unsure' | 'postponed'
export const REASONS: readonly Reason[] = [
  'false_detection', 'wrong_class', 'already_handled', 'permitted', 'unclear', 'duplicate', 'permitted_time',
]

export const queueState = ref<QueueState>('pending_review')
/** Everything undecided of this state; `queue` is what of it is due. */
const waiting = shallowRef<Alert[]>([])
const me = (): string | undefined => session.value?.user
const isPostponed = (item: Alert, at: number): boolean => Boolean(item.postponed_until) && Date.parse(item.postponed_until!) > at
export const queue = computed<Alert[]>((before_) => {
  const next = queueState.value === 'postponed' ? waiting.value.filter((item) => isPostponed(item, now.value)) : due(waiting.value, now.value)
  return before_ && before_.length === next.length && before_.every((item, i) => item === next[i]) ? before_ : next
})
const counted = ref(0)
/** How many wait, whether loaded or not. */
export const total = computed(() => (queueState.value === 'postponed' ? queue.value.length : counted.value - (waiting.value.length - queue.value.length)))
/** Alerts that came by the feed and have not been looked at, by id. */
export const fresh = shallowRef<ReadonlySet<string>>(new Set())
export const loaded = ref(false)
export const failure = ref<string | null>(null)
export const selectedId = ref<string | null>(null)
/** The alert on the stage: kept when somebody else decides it, so that nothing moves under the eye. */
export const staged = shallowRef<Alert | null>(null)
/** Own verdicts of this visit, newest last; `taken` answers once the hub has said whether it took it. */
export const decided = shallowRef<{ id: string; taken: Promise<boolean> }[]>([])
export const position = computed(() => queue.value.findIndex((item) => item.id === selectedId.value))

let following_: (() => void)[] = []

const asking = newest()
export async function loadQueue(): Promise<void> {
  try {
    const state = queueState.value === 'postponed' ? 'pending_review' : queueState.value
    const answer = await asking(withFeed('alert', all<Alert>(`/api/alerts?state=${state}&limit=200`, 400)))
    if (!answer) return
    const [page, told] = answer
    waiting.value = page.items.filter((item) => !overtaken(item)).sort(before)
    counted.value = page.total
    told.forEach(take)
    failure.value = null
    loaded.value = true
    if (!selectedId.value || !staged.value) select(firstFree(queue.value, me()))
    else renewStaged()
  } catch (error) {
    failure.value = error instanceof ApiError ? error.message : String(error)
  }
}

export function followQueue(): void {
  unfollowQueue()
  following_ = [onFeed('alert', arrived), onHealed(() => void loadQueue())]
}

export function unfollowQueue(): void {
  for (const stop of following_) stop()
  following_ = []
}

export async function switchQueue(state: QueueState): Promise<void> {
  queueState.value = state
  loaded.value = false
  waiting.value = []
  fresh.value = new Set()
  select(null)
  await loadQueue()
}

export function select(id: string | null): void {
  selectedId.value = id
  if (id && fresh.value.has(id)) fresh.value = new Set([...fresh.value].filter((one) => one !== id))
  staged.value = queue.value.find((item) => item.id === id) ?? null
  if (id && !staged.value) void fetchStaged(id)
}

async function fetchStaged(id: string): Promise<void> {
  try {
    const alert = await get<Alert>(`/api/alerts/${encodeURIComponent(id)}`)
    if (selectedId.value === id) staged.value = alert
  } catch {
    if (selectedId.value === id && staged.value?.id !== id) select(queue.value[0]?.id ?? null)
  }
}

/** Open cases that the alert may belong to, and its camera's last looks. */
export const getAround = (id: string): Promise<Around> => get<Around>(`/api/alerts/${encodeURIComponent(id)}/around`)

export function step(steps: number): void {
  select(stepped(queue.value, selectedId.value, steps))
}

/** The pictures that come next, for the browser to fetch ahead. */
export const upcoming = computed(() => {
  const from = Math.max(0, position.value)
  return queue.value.slice(from + 1, from + 11).flatMap((item) => item.evidence.filter((e) => e.media_type.startsWith('image/')).map((e) => e.url))
})

/** What the hub told before it knew of my verdict may come after it; an undo has left `decided` by then. */
const overtaken = (alert: Alert): boolean => alert.state === 'pending_review' && decided.value.some((one) => one.id === alert.id)

/** Puts it where it belongs by now; whether it is one more to be judged. */
function take(alert: Alert): boolean {
  if (overtaken(alert)) return false
  const known = waiting.value.some((item) => item.id === alert.id)
  const here = queueState.value === 'postponed' ? 'pending_review' : queueState.value
  if (alert.state === here) {
    waiting.value = withAlert(waiting.value, alert)
    if (!known) counted.value += 1
  } else if (known) {
    drop(alert.id)
    void fill()
  }
  if (alert.id === selectedId.value) staged.value = { ...staged.value, ...alert }
  return !known && alert.state === here && here === 'pending_review'
}

function arrived(alert: Alert): void {
  if (take(alert)) {
    fresh.value = new Set([...fresh.value, alert.id])
    ring(alert)
  }
  if (!selectedId.value && queue.value.some((item) => item.id === alert.id)) select(alert.id)
}

/** What is not waiting any more was decided while nobody told this page. */
function renewStaged(): void {
  const fresh = queue.value.find((item) => item.id === selectedId.value)
  if (fresh) staged.value = { ...staged.value, ...fresh }
  else if (selectedId.value) void fetchStaged(selectedId.value)
}

const FEW = 20
let filling = false

/** More wait than were loaded: they are fetched before the last of these is decided. */
async function fill(): Promise<void> {
  if (filling || waiting.value.length >= FEW || counted.value <= waiting.value.length) return
  filling = true
  await loadQueue()
  filling = false
}

function drop(id: string): void {
  waiting.value = withoutAlert(waiting.value, id)
  counted.value = Math.max(waiting.value.length, counted.value - 1)
}

function putBack(alert: Alert): void {
  if (!waiting.value.some((item) => item.id === alert.id)) counted.value += 1
  waiting.value = withAlert(waiting.value, alert)
}

async function decide(alert: Alert, decision: string, body: Record<string, unknown>): Promise<Alert | { alert: Alert; case: Case }> {
  const next = following(queue.value, alert.id, me())
  drop(alert.id)
  select(next)
  const sending = post<Alert | { alert: Alert; case: Case }>(`/api/alerts/${encodeURIComponent(alert.id)}/${decision}`, body)
  const verdict = { id: alert.id, taken: sending.then(() => true, () => false) }
  decided.value = [...decided.value, verdict]
  try {
    const answer = await sending
    void fill()
    return answer
  } catch (error) {
    decided.value = decided.value.filter((one) => one !== verdict)
    // Refused for any other reason than that somebody was first, it still waits.
    const over = error instanceof ApiError && (error.status === 404 || ['already-decided', 'illegal-move'].includes(error.kind))
    if (!over) {
      putBack(alert)
      select(alert.id)
    }
    throw error
  }
}

/** `category` corrects the class, `condition` is one of its filing conditions, `into` an open case that it belongs to. */
export const confirm = (alert: Alert, category: string | null, condition: string | null, into: string | null = null) => decide(alert, 'confirm', { ...(category ? { category } : {}), ...(condition ? { condition } : {}), ...(into ? { into } : {}) })
export const reject = (alert: Alert, reason: Reason) => decide(alert, 'reject', { reason })
export const unsure = (alert: Alert) => decide(alert, 'unsure', {})

/** Puts it off for so many minutes: it leaves the queue, and comes back by itself. */
export async function postpone(alert: Alert, minutes: number): Promise<void> {
  const until = new Date(now.value + minutes * 60_000).toISOString()
  const next = following(queue.value, alert.id, me())
  const later = await post<Alert>(`/api/alerts/${encodeURIComponent(alert.id)}/postpone`, { until })
  if (selectedId.value === alert.id) select(next)
  putBack(later)
}

/** Rejects all that waits of one camera. */
export const rejectAll = (camera: string, reason: Reason, note: string) => post<Rejected>('/api/alerts/reject-all', { camera, reason, note })

/** A hub that is away has taken nothing back: the next undo means the same verdict, not the one before it. */
async function takeBack(verdict: (typeof decided.value)[number]): Promise<Alert | { alert: Alert }> {
  try {
    return await post<Alert | { alert: Alert }>(`/api/alerts/${encodeURIComponent(verdict.id)}/undo`)
  } catch (error) {
    if (error instanceof ApiError && (error.status === 0 || error.status >= 500)) decided.value = [...decided.value, verdict]
    throw error
  }
}

/** Takes back the newest own verdict, also one still on its way, and puts that alert on the stage. Null: there is none. */
export async function undo(): Promise<Alert | null> {
  const last = decided.value.at(-1)
  decided.value = decided.value.slice(0, -1)
  if (!last || !(await last.taken)) return null
  const answer = await takeBack(last)
  const alert = 'alert' in answer ? (answer.alert as Alert) : answer
  if (alert.state === queueState.value) putBack(alert)
  select(alert.id)
  return alert
}

/** Who else looks at it, if anybody. */
export function claimant(alert: Alert): string | null {
  const by = alert.claimed_by
  return by && heldByOther(alert, me()) ? by.name || by.user : null
}

/** Takes it in hand, and lets go of the one before; of one that somebody else has, only the latter. */
export async function claim(alert: Alert): Promise<void> {
  await (claimant(alert) ? letGo() : post(`/api/alerts/${encodeURIComponent(alert.id)}/claim`))
}

/** Nothing stays in hand when the desk is left; who closes the page lets go after two minutes. */
export const letGo = (): Promise<unknown> => post('/api/alerts/release').catch(() => undefined)
