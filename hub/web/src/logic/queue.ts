// The order of the validation queue and how it changes without moving what the eye is on. Pure.
import type { Alert } from '../api/types'

/** Urgent first, then where devices agree, then the oldest: the order in which the hub lists pending alerts. */
export function before(a: Alert, b: Alert): number {
  if (a.urgent !== b.urgent) return a.urgent ? -1 : 1
  if (Boolean(a.agreed) !== Boolean(b.agreed)) return a.agreed ? -1 : 1
  return Date.parse(a.opened_at) - Date.parse(b.opened_at) || a.id.localeCompare(b.id)
}

/** The queue with `alert` put in or renewed at its place. */
export function withAlert(queue: readonly Alert[], alert: Alert): Alert[] {
  const at = queue.findIndex((item) => item.id === alert.id)
  if (at >= 0 && queue[at]!.urgent === alert.urgent && Boolean(queue[at]!.agreed) === Boolean(alert.agreed)) return queue.map((item, i) => (i === at ? { ...item, ...alert } : item))
  return [...queue.filter((item) => item.id !== alert.id), alert].sort(before)
}

export function withoutAlert(queue: readonly Alert[], id: string): Alert[] {
  return queue.filter((item) => item.id !== id)
}

/** The id `steps` further on from `id`, kept within the queue; the first one when `id` is not there. */
export function stepped(queue: readonly Alert[], id: string | null, steps: number): string | null {
  if (!queue.length) return null
  const at = queue.findIndex((item) => item.id === id)
  if (at < 0) return queue[0]!.id
  return queue[Math.min(queue.length - 1, Math.max(0, at + steps))]!.id
}

/** Those that are not put off at `now` (ms): the rest come back when their time has come. */
export function due(queue: readonly Alert[], now: number): Alert[] {
  return queue.filter((item) => !item.postponed_until || Date.parse(item.postponed_until) <= now)
}

/** What `user` may take up first: the first one that nobody else has in hand, or the first at all. */
export function firstFree(queue: readonly Alert[], user: string | undefined): string | null {
  return (queue.find((item) => !heldByOther(item, user)) ?? queue[0])?.id ?? null
}

export function heldByOther(item: Alert, user: string | undefined): boolean {
  return item.claimed_by !== null && item.claimed_by !== undefined && item.claimed_by.user !== user
}

/** What to look at once `id` has been decided: the next one that nobody else has in hand, or the one before at the end. */
export function following(queue: readonly Alert[], id: string, user?: string): string | null {
  const at = queue.findIndex((item) => item.id === id)
  if (at < 0) return firstFree(queue, user)
  const free = queue.slice(at + 1).find((item) => !heldByOther(item, user))
  return (free ?? queue[at + 1] ?? queue[at - 1])?.id ?? null
}

/** The picture that stands for an alert: where it was found, else what a camera beside saw. */
export function thumbnailOf(alert: Pick<Alert, 'evidence'>): string | undefined {
  return (alert.evidence.find((piece) => piece.role === 'frame') ?? alert.evidence.find((piece) => piece.role === 'beside'))?.url
}
