// Steps back and forth over something that is edited, as whole copies. Pure.
export interface History<T> { past: readonly T[]; now: T; future: readonly T[] }
const MOST = 100

export const begin = <T>(now: T): History<T> => ({ past: [], now, future: [] })
export const put = <T>(history: History<T>, next: T): History<T> => ({ past: [...history.past, history.now].slice(-MOST), now: next, future: [] })
export function back<T>(history: History<T>): History<T> {
  const before = history.past.at(-1)
  return before === undefined ? history : { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future] }
}
export function forth<T>(history: History<T>): History<T> {
  const [next, ...rest] = history.future
  return next === undefined ? history : { past: [...history.past, history.now], now: next, future: rest }
}
