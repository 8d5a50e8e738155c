// What an entry of the audit trail tells beside who, what, when and of what: each name and value in the reader's words.
import type { AuditEntry } from '../../api/schema'
import { exact } from '../../logic/time'
import { departments, kinds } from '../../state/devices'
import { timeZone } from '../../state/now'
import { aside, colon, listed, locale, nameOf, t, tOf, unitOf } from '../../words'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/
/** Whose words a value may have: the first family that knows it. */
const FAMILIES: Record<string, readonly string[]> = {
  role: ['role'], channel: ['channel'], result: ['result'], cause: ['supervision-cause'], stage: ['audit-value'],
  level: ['supervision-level'], from: ['grid-step'], to: ['grid-step'], proposal: ['audit-value'], label: ['label'],
  kind: ['letter-kind', 'whistle-kind', 'action'], reason: ['reason', 'audit-value'], decision: ['alert-state'],
  was: ['case-state', 'alert-state'], now: ['case-state'], state: ['device', 'audit-value'],
}
const UNITS = new Set(['department', 'unit', 'to'])

function valueOf(name: string, value: unknown): string {
  if (value === true || value === false) return t(value ? 'value.yes' : 'value.no')
  if (Array.isArray(value)) return listed(value.map((one) => valueOf(name, one)))
  if (value !== null && typeof value === 'object') return aside(pairs(value as Record<string, unknown>)).trim()
  const text = String(value)
  if (TIME.test(text)) return exact(text, locale.value, timeZone.value)
  for (const family of FAMILIES[name] ?? []) {
    const words = tOf(family, text)
    if (words !== text) return words
  }
  const unit = UNITS.has(name) && departments.value.find((one) => one.id === text)
  if (unit) return unitOf(unit)
  const kind = name === 'kind' || name === 'kinds' ? kinds.value.get(text) : undefined
  return kind ? nameOf(kind) : text
}

function pairs(detail: Record<string, unknown>): string {
  const told = Object.entries(detail).filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && !value.length))
  return told.map(([name, value]) => `${tOf('named', name)}${colon.value}${valueOf(name, value)}`).join(' · ')
}

export const detailOf = (entry: AuditEntry): string => pairs(entry.detail)
