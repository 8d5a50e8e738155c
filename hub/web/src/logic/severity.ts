// The one severity scale (grey, amber, red) and what in the domain falls on which step. Pure.
import type { Case } from '../api/types'

export type Severity = 'none' | 'grey' | 'amber' | 'red'

/** Whether the handling clock of the case still runs. */
export function clockRuns(item: Pick<Case, 'deadline' | 'clock_running'>): boolean {
  return item.deadline !== null && item.clock_running
}

/** Grey before 75 % of the limit is used, amber from there, red when overdue. `now` in ms. */
export function deadlineSeverity(item: Pick<Case, 'state' | 'deadline' | 'used_pct' | 'overdue' | 'clock_running'>, now: number): Severity {
  if (item.overdue) return 'red'
  if (!clockRuns(item)) return 'grey'
  if (item.deadline && Date.parse(item.deadline) < now) return 'red'
  return (item.used_pct ?? 0) >= 75 ? 'amber' : 'grey'
}

/** Whether a camera's last picture shows what is there now, however poor or turned it is. */
export const isCurrent = (state: string | null): boolean => ![null, 'unknown', 'offline', 'stale', 'frozen'].includes(state)

/** Devices: working ones carry no severity; a poor picture is amber; none of now is red; not yet known is grey. */
export function deviceSeverity(state: string | null): Severity {
  if (state === 'online') return 'none'
  if (!state || state === 'unknown') return 'grey'
  return ['offline', 'stale', 'silent', 'gateway_lost'].includes(state) ? 'red' : 'amber'
}
