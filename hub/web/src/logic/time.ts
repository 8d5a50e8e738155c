// Times and spans as people read them. Pure: takes `now` (ms) and the words' locale.
export type Unit = 's' | 'min' | 'h' | 'd'
const NAMES: Record<'zh' | 'en', Record<Unit, string>> = {
  zh: { s: ' 秒', min: ' 分', h: ' 小时', d: ' 天' },
  en: { s: ' s', min: ' min', h: ' h', d: ' d' },
}

/** A span in its two largest units: "2 小时 13 分", "45 秒". `ms` may be negative; the sign is dropped. */
export function span(ms: number, locale: 'zh' | 'en'): string {
  const names = NAMES[locale]
  const all = Math.floor(Math.abs(ms) / 1000)
  if (all < 60) return `${all}${names.s}`
  const minutes = Math.floor(all / 60)
  if (minutes < 60) return `${minutes}${names.min}`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return two(`${hours}${names.h}`, minutes % 60, names.min)
  return two(`${Math.floor(hours / 24)}${names.d}`, hours % 24, names.h)
}

/** A short time with a tenth of a second where that tells something: "3.4 秒", "45 秒", "2 分". */
export function brief(ms: number, locale: 'zh' | 'en'): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)}${NAMES[locale].s}` : span(Math.round(ms / 1000) * 1000, locale)
}

function two(first: string, rest: number, unit: string): string {
  return rest ? `${first} ${rest}${unit}` : first
}

/** "刚刚", "3 分钟前", "2 小时前", then the day: how long before `now` the instant `at` was. */
export function ago(at: string, now: number, locale: 'zh' | 'en', timeZone: string): string {
  const ms = now - Date.parse(at)
  const zh = locale === 'zh'
  const minutes = Math.floor(ms / 60000)
  if (ms < 60000 && ms > -60000) return ms < 10000 ? (zh ? '刚刚' : 'just now') : zh ? `${Math.floor(ms / 1000)} 秒前` : `${Math.floor(ms / 1000)} s ago`
  if (ms < 0) return exact(at, locale, timeZone)
  if (minutes < 60) return zh ? `${minutes} 分钟前` : `${minutes} min ago`
  if (minutes < 24 * 60) return zh ? `${Math.floor(minutes / 60)} 小时前` : `${Math.floor(minutes / 60)} h ago`
  if (minutes < 7 * 24 * 60) return zh ? `${Math.floor(minutes / 1440)} 天前` : `${Math.floor(minutes / 1440)} d ago`
  return exact(at, locale, timeZone).slice(0, 10)
}

/** "2026-11-23 14:03:05" in the hub's time zone. */
export function exact(at: string, _locale: 'zh' | 'en', timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).format(new Date(at))
}

/** "14:03" today, "11-24 09:30" on another day of the year, "2025-11-24 09:30" in another year. */
export function short(at: string, now: number, timeZone: string): string {
  const text = exact(at, 'zh', timeZone)
  const today = exact(new Date(now).toISOString(), 'zh', timeZone).slice(0, 10)
  if (text.startsWith(today)) return text.slice(11, 16)
  return text.slice(text.startsWith(today.slice(0, 4)) ? 5 : 0, 16)
}

/** When today began (ms) in the zone; the day of a change of clocks may be an hour off. */
export function midnight(now: number, timeZone: string): number {
  const [h, m, s] = exact(new Date(now).toISOString(), 'zh', timeZone).slice(11).split(':').map(Number)
  return Math.floor(now / 1000) * 1000 - ((h! * 60 + m!) * 60 + s!) * 1000
}
