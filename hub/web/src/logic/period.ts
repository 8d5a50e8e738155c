// Report periods by name: 2026-W48, 2026-11, 2026-Q4, 2026. Pure.
export type PeriodKind = 'weekly' | 'monthly' | 'quarterly' | 'yearly'

const DAY = 86400000

/** The ISO week (year, week) of a UTC date. */
function isoWeek(day: Date): [number, number] {
  const thursday = new Date(day.getTime() + (4 - (day.getUTCDay() || 7)) * DAY)
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  return [thursday.getUTCFullYear(), Math.floor((thursday.getTime() - first) / DAY / 7) + 1]
}

function nameOf(kind: PeriodKind, day: Date): string {
  const year = day.getUTCFullYear()
  const month = day.getUTCMonth()
  if (kind === 'weekly') {
    const [weekYear, week] = isoWeek(day)
    return `${weekYear}-W${String(week).padStart(2, '0')}`
  }
  if (kind === 'monthly') return `${year}-${String(month + 1).padStart(2, '0')}`
  return kind === 'quarterly' ? `${year}-Q${Math.floor(month / 3) + 1}` : String(year)
}

/** The first day (UTC midnight stands for the local date). */
function firstDay(name: string): Date {
  const year = Number(name.slice(0, 4))
  if (name[5] === 'W') {
    const fourth = new Date(Date.UTC(year, 0, 4))
    return new Date(fourth.getTime() - ((fourth.getUTCDay() || 7) - 1) * DAY + (Number(name.slice(6)) - 1) * 7 * DAY)
  }
  if (name[5] === 'Q') return new Date(Date.UTC(year, (Number(name[6]) - 1) * 3, 1))
  return new Date(Date.UTC(year, name.length > 4 ? Number(name.slice(5)) - 1 : 0, 1))
}

/** The period `by` steps later (or earlier) than `name`. */
export function step(kind: PeriodKind, name: string, by: number): string {
  const day = firstDay(name)
  if (kind === 'weekly') return nameOf(kind, new Date(day.getTime() + by * 7 * DAY))
  const months = { monthly: 1, quarterly: 3, yearly: 12 }[kind] * by
  return nameOf(kind, new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months, 1)))
}

/** The one that `now` (ms) lies in, in the hub's time zone. */
export function currentPeriod(kind: PeriodKind, now: number, timeZone: string): string {
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date(now))
  return nameOf(kind, new Date(`${local}T00:00:00Z`))
}
