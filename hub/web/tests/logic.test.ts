// Pure logic of the page: order of the queue, spans and times, severity, intervals, periods, limits.
import { describe, expect, it } from 'vitest'
import type { Alert, Camera, Case, CaseAction } from '../src/api/types'
import { attained, seconds } from '../src/logic/attained'
import { matching } from '../src/logic/choice'
import { columnsOf } from '../src/logic/columns'
import { filled } from '../src/logic/filled'
import { limitWords } from '../src/logic/limit'
import { currentPeriod, step } from '../src/logic/period'
import { before, following, stepped, withAlert, withoutAlert } from '../src/logic/queue'
import { inMaintenance, readable } from '../src/logic/reading'
import { clockRuns, deadlineSeverity, deviceSeverity, isCurrent } from '../src/logic/severity'
import { fieldsOf } from '../src/screens/cases/nextStep'
import en from '../src/words/en.json'
import { ago, brief, exact, short, span } from '../src/logic/time'

const alert = (id: string, minute: number, more: Partial<Alert> = {}): Alert =>
  ({ id, urgent: false, agreed: false, opened_at: new Date(Date.UTC(2026, 10, 23, 2, minute)).toISOString(), ...more }) as Alert
const ids = (queue: Alert[]): string[] => queue.map((item) => item.id)

describe('the queue', () => {
  const queue = [alert('a', 1), alert('b', 2), alert('c', 3)]

  it('has urgent alerts first, then where devices agree, then the oldest', () => {
    const mixed = [alert('old', 1), alert('agreed', 5, { agreed: true }), alert('urgent', 9, { urgent: true }), alert('young', 2)]
    expect(ids(mixed.sort(before))).toEqual(['urgent', 'agreed', 'old', 'young'])
  })
  it('renews an alert at its place, and moves one that has become urgent', () => {
    expect(withAlert(queue, alert('b', 2, { count: 7 }))[1]!.count).toBe(7)
    expect(ids(withAlert(queue, alert('c', 3, { urgent: true })))).toEqual(['c', 'a', 'b'])
  })
  it('takes a new one in by its rank, and lets one go', () => {
    expect(ids(withAlert(queue, alert('n', 2, { id: 'bb' })))).toEqual(['a', 'b', 'bb', 'c'])
    expect(ids(withoutAlert(queue, 'b'))).toEqual(['a', 'c'])
  })
  it('steps within its ends', () => {
    expect(stepped(queue, 'a', 1)).toBe('b')
    expect(stepped(queue, 'a', -1)).toBe('a')
    expect(stepped(queue, 'c', 5)).toBe('c')
    expect(stepped(queue, 'gone', 1)).toBe('a')
    expect(stepped([], 'a', 1)).toBeNull()
  })
  it('goes on to the next one once one is decided, or back at the end', () => {
    expect(following(queue, 'a')).toBe('b')
    expect(following(queue, 'c')).toBe('b')
    expect(following([alert('x', 1)], 'x')).toBeNull()
  })
})

describe('times', () => {
  const now = Date.UTC(2026, 10, 23, 6, 30)
  const at = (ms: number): string => new Date(now - ms).toISOString()
  it('are told in the two largest units', () => {
    expect([45e3, 8 * 60e3, 133 * 60e3, 26 * 3600e3].map((ms) => span(ms, 'zh'))).toEqual(['45 秒', '8 分', '2 小时 13 分', '1 天 2 小时'])
    expect(span(-90 * 60e3, 'en')).toBe('1 h 30 min')
    expect([340, 3400, 9960, 45400, 120e3].map((ms) => brief(ms, 'en'))).toEqual(['0.3 s', '3.4 s', '10 s', '45 s', '2 min'])
  })
  it('are told as how long ago', () => {
    expect([2e3, 30e3, 3 * 60e3, 5 * 3600e3, 50 * 3600e3].map((ms) => ago(at(ms), now, 'zh', 'Asia/Shanghai'))).toEqual(['刚刚', '30 秒前', '3 分钟前', '5 小时前', '2 天前'])
    expect(ago(at(9 * 86400e3), now, 'en', 'Asia/Shanghai')).toBe('2026-11-14')
  })
  it('are told in the time zone of the hub', () => {
    expect(exact('2026-11-23T17:00:00+00:00', 'zh', 'Asia/Shanghai')).toBe('2026-11-24 01:00:00')
    expect(short('2026-11-23T05:03:00Z', now, 'Asia/Shanghai')).toBe('13:03')
    expect(short('2026-11-22T05:03:00Z', now, 'Asia/Shanghai')).toBe('11-22 13:03')
    expect(short('2025-11-22T05:03:00Z', now, 'Asia/Shanghai')).toBe('2025-11-22 13:03')
  })
})

describe('severity', () => {
  const now = Date.UTC(2026, 10, 23, 6)
  const item = { state: 'handling', deadline: new Date(now + 3600e3).toISOString(), used_pct: 50, overdue: false, clock_running: true } as const
  it('of a deadline turns amber at 75 % and red when it has passed', () => {
    expect(deadlineSeverity(item, now)).toBe('grey')
    expect(deadlineSeverity({ ...item, used_pct: 75 }, now)).toBe('amber')
    expect(deadlineSeverity(item, now + 2 * 3600e3)).toBe('red')
    expect(deadlineSeverity({ ...item, overdue: true, clock_running: false }, now)).toBe('red')
  })
  it('of a clock that stands is grey', () => {
    expect(deadlineSeverity({ ...item, clock_running: false, used_pct: 90 }, now)).toBe('grey')
    expect(clockRuns({ deadline: null, clock_running: false })).toBe(false)
  })
  it('of devices', () => {
    expect(['online', 'blurred', 'offline', 'unknown', null].map(deviceSeverity)).toEqual(['none', 'amber', 'red', 'grey', 'grey'])
    expect(['moved', 'blurred', 'frozen', 'stale', null].map(isCurrent)).toEqual([true, true, false, false, false])
  })
})

describe('cameras', () => {
  const camera = (attained_s: number | null, state = 'online') => ({ state, attained_s, every_s: 10 }) as Camera
  it('are on time within a fifth of the wanted interval; those out of sight do not count', () => {
    const found = attained([camera(10), camera(12), camera(13), camera(40), camera(99, 'offline'), camera(null)])
    expect(found).toEqual({ n: 4, onTime: 0.5, median: 12, p95: 40, worst: 40 })
    expect(attained([camera(null)])).toBeNull()
    expect([9.96, 99.94, 123.6].map(seconds)).toEqual(['10', '99.9', '124'])
  })
})

describe('readings', () => {
  it('are rounded, with their units and words', () => {
    expect(readable('distance_cm', 12.3456, undefined, '是', '否')).toBe('12.35 cm')
    expect(readable('open', 1, undefined, '是', '否')).toBe('是')
    expect(readable('temperature', { value: 21.5, unit: 'degC' }, undefined, '是', '否')).toBe('21.5 °C')
    expect(readable('x', null, undefined, '是', '否')).toBe('—')
  })
  it('are set aside while somebody works on the sensor', () => {
    expect(inMaintenance({ maintenance: { until: '2026-11-23T06:00:00Z' } }, Date.UTC(2026, 10, 23, 5))).toBe(true)
    expect(inMaintenance({ maintenance: null }, 0)).toBe(false)
  })
})

describe('words with numbers', () => {
  it('have one thing where the number is 1', () => {
    expect(filled(en['alert.times'], { n: 1 })).toBe('1 time')
    expect(filled(en['alert.times'], { n: '1' })).toBe('1 time')
    expect(filled(en['alert.times'], { n: 0 })).toBe('0 times')
    expect(filled(en['grid.devices'], { cameras: 1, sensors: 21 })).toBe('1 camera · 21 sensors')
    expect(filled(en['device.no-match-why'], { n: 1 })).toContain('There is 1 in all')
  })
  it('keep a blank that nothing fills, and fill one with 0', () => {
    expect(filled('{who}: {n} {n|case|cases}', { n: 0 })).toBe('{who}: 0 cases')
  })
})

describe('choices', () => {
  const units = [
    { value: 'drainage', label: 'Drainage office', also: '排水所 Drainage office 12621002' },
    { value: 'enforcement', label: '综合执法局', also: '综合执法局 Urban enforcement bureau' },
    { value: 'west', label: 'West street (1+1)' },
  ]
  const found = (typed: string): string[] => matching(units, typed).map((one) => one.value)

  it('are found by the name in either language and by the code, whatever is shown', () => {
    expect(found('排水')).toEqual(['drainage'])
    expect(found('Enforcement BUREAU')).toEqual(['enforcement'])
    expect(found('12621002')).toEqual(['drainage'])
    expect(found('west (1+1)')).toEqual(['west'])
  })
  it('are all there while nothing is typed, and none where nothing fits', () => {
    expect(found('  ')).toEqual(['drainage', 'enforcement', 'west'])
    expect(found('排水 bureau')).toEqual([])
  })
})

describe('periods', () => {
  it('of reports follow the ISO week and the year', () => {
    expect(currentPeriod('weekly', Date.UTC(2026, 0, 1), 'Asia/Shanghai')).toBe('2026-W01')
    expect(step('weekly', '2026-W53', 1)).toBe('2027-W01')
    expect(step('quarterly', '2026-Q1', -1)).toBe('2025-Q4')
    expect(step('monthly', '2026-12', 1)).toBe('2027-01')
  })
  it('and limits are told in the words of the language', () => {
    expect(limitWords('4工作时', 'en')).toBe('4 working hours')
    expect(limitWords('1工作日', 'en')).toBe('1 working day')
    expect(limitWords('2紧急工作日', 'en')).toBe('2 urgent days')
    expect(limitWords('0.5紧急工作时', 'zh')).toBe('30 分钟')
    expect(limitWords('无', 'en')).toBe('无')
  })
})

describe('fields of an action', () => {
  const action = (name: string) => ({ action: name, name: { zh: '', en: '' }, needs: [] }) as unknown as CaseAction
  it('ask for the place where a report said it in words alone, and always in a correction', () => {
    expect(fieldsOf(action('file'), { grid: null } as unknown as Case)).toContain('spot')
    expect(fieldsOf(action('file'), { grid: { id: 'g', name: 'g' } } as unknown as Case)).not.toContain('spot')
    expect(fieldsOf(action('correct'), { grid: { id: 'g', name: 'g' } } as unknown as Case)).toContain('spot')
  })
})

describe('columns of cells', () => {
  const cell = (rowSpan = 1, colSpan = 1) => ({ rowSpan, colSpan })
  it('are those that no cell from above reaches into', () => {
    expect(columnsOf([[cell(2), cell(), cell(), cell(2)], [cell(), cell()], [cell(), cell(1, 3)]])).toEqual([[0, 1, 2, 3], [1, 2], [0, 1]])
    expect(columnsOf([[cell(3), cell(), cell()], [cell(2), cell()], [cell()], [cell()]])).toEqual([[0, 1, 2], [1, 2], [2], [0]])
  })
})
