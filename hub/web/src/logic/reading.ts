// A measured value as people read it: numbers rounded, states as words, units as they are written. Pure.
const STATES = new Set(['open', 'smoke', 'water', 'occupied', 'tamper', 'vibration', 'battery_low', 'motion'])
const UNITS: Record<string, string> = { degC: '°C', deg: '°', '%LEL': '% LEL', 'ug/m3': 'µg/m³' }

/** Whether a property is a state, on or off, and not a quantity. */
export const isState = (prop: string): boolean => STATES.has(prop)

/** `yes` and `no` are the words for a state that is on or off. */
export function readable(prop: string | undefined, value: unknown, unit: string | null | undefined, yes: string, no: string): string {
  if (value && typeof value === 'object' && 'value' in value) {
    const inner = value as { value: unknown; unit?: string | null }
    return readable(prop, inner.value, inner.unit ?? unit, yes, no)
  }
  if (typeof value === 'boolean' || (STATES.has(prop ?? '') && (value === 0 || value === 1))) return value ? yes : no
  if (value === null || value === undefined) return '—'
  const text = typeof value === 'number' ? String(Math.round(value * 100) / 100) : String(value)
  const shown = unit === undefined ? unitOf(prop ?? '') : UNITS[unit ?? ''] ?? unit ?? ''
  return shown ? `${text} ${shown}` : text
}

/** Whether somebody works on a sensor at `now` (ms), so that its alarms are set aside. */
export function inMaintenance(sensor: { maintenance?: { until: string } | null }, now: number): boolean {
  return sensor.maintenance != null && Date.parse(sensor.maintenance.until) > now
}

/** The unit that a property's name tells. */
function unitOf(prop: string): string {
  if (/(_pct|^battery|^humidity)$/.test(prop)) return '%'
  if (prop.startsWith('temperature')) return '°C'
  return { _mm: 'mm', _cm: 'cm', _deg: '°', _v: 'V', _dbm: 'dBm', _ppm: 'ppm', _ma: 'mA', _lel: '% LEL', _leq: 'dB' }[/_[a-z]+$/.exec(prop)?.[0] ?? ''] ?? ''
}
