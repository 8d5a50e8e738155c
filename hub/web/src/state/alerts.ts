// The validation queue: what waits, what is looked at, and the verdicts with their undo.
import { computed, ref, shallowRef } from 'vue'
import { all, ApiError, get, post } from '../api/client'
import { onFeed, onHealed } from '../api/feed'
import type { Alert, Case, Reason } from '../api/types'
import { before, following, stepped, withAlert, withoutAlert } from '../logic/queue'
import { session } from './session'

export type QueueState = 'pending_review' | 'unsure'
export const REASONS: readonly Reason[] = [
  'false_detection', 'wrong_class', 'already_handled', 'permitted', 'unclear', 'duplicate', 'permitted_time',
]

export const queueState = ref<QueueState>('pending_review')
export const queue = shallowRef<Alert[]>([])
export const total = ref(0)
export const loaded = ref(false)
export const failure = ref<string | null>(null)
export const selectedId = ref<string | null>(null)
/** The alert on the stage: kept when somebody else decides it, so that nothing moves under the eye. */
export const staged = shallowRef<Alert | null>(null)
/** Own verdicts of this visit, newest last; `taken` answers once the hub has said whether it took it. */
export const decided = shallowRef<{ id: string; taken: Promise<boolean> }[]>([])
export const position = computed(() => queue.value.findIndex((item) => item.id === selectedId.value))

let following_: (() => void)[] = []

export async function loadQueue(): Promise<void> {
  try {
    const page = await all<Alert>(`/api/alerts?state=${queueState.value}&limit=200`, 400)
    queue.value = page.items.sort(before)
    total.value = page.total
    failure.value = null
    loaded.value = true
    if (!selectedId.value || !staged.value) select(queue.value[0]?.id ?? null)
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
  queue.value = []
  select(null)
  await loadQueue()
}

export function select(id: string | null): void {
  selectedId.value = id
  staged.value = queue.value.find((item) => item.id === id) ?? null
  if (id && !staged.value) void fetchStaged(id)
}

async function fetchStaged(id: string): Promise<void> {
  try {
    const alert = await get<Alert>(`/api/alerts/${encodeURIComponent(id)}`)
    if (selectedId.value === id) staged.value = alert
  } catch {
    if (selectedId.value === id) select(queue.value[0]?.id ?? null)
  }
}

/** The whole of one alert: lists and feed may leave parts out (precision, similar cases). */
export async function completeStaged(id: string): Promise<void> {
  const alert = await get<Alert>(`/api/alerts/${encodeURIComponent(id)}`)
  if (selectedId.value === id) staged.value = alert
}

export function step(steps: number): void {
  select(stepped(queue.value, selectedId.value, steps))
}

/** The pictures that come next, for the browser to fetch ahead. */
export const upcoming = computed(() => {
  const from = Math.max(0, position.value)
  return queue.value.slice(from + 1, from + 11).flatMap((item) => item.evidence.filter((e) => e.media_type.startsWith('image/')).map((e) => e.url))
})

function arrived(alert: Alert): void {
  const known = queue.value.some((item) => item.id === alert.id)
  if (alert.state === queueState.value) {
    queue.value = withAlert(queue.value, alert)
    if (!known) total.value += 1
    if (!selectedId.value) select(alert.id)
  } else if (known) {
    drop(alert.id)
  }
  if (alert.id === selectedId.value) staged.value = { ...staged.value, ...alert }
}

function renewStaged(): void {
  const fresh = queue.value.find((item) => item.id === selectedId.value)
  if (fresh) staged.value = { ...staged.value, ...fresh }
}

function drop(id: string): void {
  queue.value = withoutAlert(queue.value, id)
  total.value = Math.max(queue.value.length, total.value - 1)
}

async function decide(alert: Alert, decision: string, body: Record<string, unknown>): Promise<Alert | { alert: Alert; case: Case }> {
  const next = following(queue.value, alert.id)
  drop(alert.id)
  select(next)
  const sending = post<Alert | { alert: Alert; case: Case }>(`/api/alerts/${encodeURIComponent(alert.id)}/${decision}`, body)
  const verdict = { id: alert.id, taken: sending.then(() => true, () => false) }
  decided.value = [...decided.value, verdict]
  try {
    return await sending
  } catch (error) {
    decided.value = decided.value.filter((one) => one !== verdict)
    const stands = error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.kind === 'claimed')
    if (stands) {
      queue.value = withAlert(queue.value, alert)
      total.value += 1
      select(alert.id)
    }
    throw error
  }
}

export const confirm = (alert: Alert, category: string | null, condition: string | null) => decide(alert, 'confirm', { ...(category ? { category } : {}), ...(condition ? { condition } : {}) })
export const reject = (alert: Alert, reason: Reason) => decide(alert, 'reject', { reason })
export const unsure = (alert: Alert) => decide(alert, 'unsure', {})

/** Takes back the newest own verdict, also one still on its way, and puts that alert on the stage. Null: there is none. */
export async function undo(): Promise<Alert | null> {
  const last = decided.value.at(-1)
  decided.value = decided.value.slice(0, -1)
  if (!last || !(await last.taken)) return null
  const answer = await post<Alert | { alert: Alert }>(`/api/alerts/${encodeURIComponent(last.id)}/undo`)
  const alert = 'alert' in answer ? (answer.alert as Alert) : answer
  if (alert.state === queueState.value && !queue.value.some((item) => item.id === alert.id)) {
    queue.value = withAlert(queue.value, alert)
    total.value += 1
  }
  select(alert.id)
  return alert
}

/** Who else looks at it, if anybody. */
export function claimant(alert: Alert): string | null {
  const by = alert.claimed_by
  return by && by.user !== session.value?.user ? by.name || by.user : null
}

export async function claim(alert: Alert): Promise<void> {
  if (claimant(alert)) return
  await post(`/api/alerts/${encodeURIComponent(alert.id)}/claim`)
}
