// How the heat map colours areas: by quantiles of those that have any, in at most five steps. Pure.
export interface AreaCount { id: string; cases: number; open: number }
export const PERIODS = ['today', '7d', '30d', '365d'] as const
export type Period = (typeof PERIODS)[number]
const STEPS = 5

/** Upper ends of the steps, ascending and all different; empty where nothing was counted. */
export function stepsOf(counts: readonly number[]): number[] {
  const some = counts.filter((n) => n > 0).sort((a, b) => a - b)
  const ends = Array.from({ length: STEPS }, (_unused, i) => some[Math.ceil(((i + 1) * some.length) / STEPS) - 1])
  return [...new Set(ends.filter((n): n is number => n !== undefined))]
}

/** 0 for none, else 1 … the number of steps. */
export function stepOf(count: number, steps: readonly number[]): number {
  if (count <= 0) return 0
  const found = steps.findIndex((end) => count <= end)
  return found < 0 ? steps.length : found + 1
}

/** Opacity of the accent for a step of so many. */
export const opacityOf = (step: number, of: number): number => (step === 0 ? 0 : of < 2 ? 0.5 : 0.15 + (0.65 * (step - 1)) / (of - 1))

/** When the period began; `midnight` (ms) is the beginning of today where the hub is. */
export function beganAt(period: Period, midnight: number): string {
  const days = { today: 0, '7d': 6, '30d': 29, '365d': 364 }[period]
  return new Date(midnight - days * 86400000).toISOString()
}
