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

/** What to look at once `id` has been decided: the one after it, or the one before at the end. */
export function following(queue: readonly Alert[], id: string): string | null {
  const at = queue.findIndex((item) => item.id === id)
  if (at < 0) return queue[0]?.id ?? null
  return (queue[at + 1] ?? queue[at - 1])?.id ?? null
}
