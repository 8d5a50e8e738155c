// What the hub refuses, in the reader's language: by the problem's type, and by what stands against it.
import type { Problem } from '../api/types'
import { isZh, t, tOf, type Key } from '.'
import zh from './zh.json'

/** The last part of a problem's type, e.g. `already-decided`. */
export const kindOf = (problem: Problem): string => (problem.type ?? '').split(/[/:]/).pop() ?? ''

/** The hub's own English where that is read, or where there are no words for it. */
export function refusalOf(problem: Problem, status: number): string {
  const own = problem.detail || problem.title || `HTTP ${status}`
  if (!isZh.value) return own
  const key = [`barred.${String(problem.why)}`, `refusal.${kindOf(problem)}-${String(problem.field)}`, `refusal.${kindOf(problem)}`].find((one) => one in zh)
  return key ? t(key as Key, blanks(problem, own)) : own
}

/** A field as the screens call it: `tasks.kind` by its last part, `settings.full_pct` by its first. */
function nameOfField(field: string): string {
  const parts = field.split(/[.,]\s*/)
  return tOf('named', [...parts].reverse().find((part) => `named.${part}` in zh) ?? field)
}

function blanks(problem: Problem, own: string): Record<string, string> {
  const values: Record<string, string> = { own, retry_after_s: '', by_name: '', value: '' }
  for (const [name, value] of Object.entries(problem)) if (typeof value === 'string' || typeof value === 'number') values[name] = String(value)
  values.name = nameOfField(String(problem.field ?? ''))
  values.what = tOf('thing', values.what)
  values.decision = tOf('alert-state', values.decision)
  return values
}
