// Pure logic of what engineers and staff edit: polygons, steps back and forth, addresses of cameras, who holds an alert.
import { describe, expect, it } from 'vitest'
import type { Alert, Camera, Point, Zone } from '../src/api/types'
import { filled, TEMPLATES } from '../src/logic/cameraUrl'
import { back, begin, forth, put } from '../src/logic/history'
import { area, fault, inserted, moved, snapped, withoutPoint } from '../src/logic/polygon'
import { due, firstFree, following, heldByOther } from '../src/logic/queue'
import { differences, editedOf, freeName, placesOf, toWire, withKind } from '../src/screens/zones/edited'

const square: Point[] = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]

describe('a polygon', () => {
  it('is faulted by its points, as the hub does', () => {
    expect(fault(square)).toBeNull()
    expect(fault(square.slice(0, 2))).toEqual({ code: 'few', n: 2 })
    expect(fault([...square, square[0]!])).toEqual({ code: 'same', a: 5, b: 1 })
    expect(fault([square[0]!, square[2]!, square[1]!, square[3]!])).toEqual({ code: 'crossed', a: 1, b: 2, c: 3, d: 4 })
    expect(fault([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]])).toEqual({ code: 'flat' })
    expect(Math.abs(area(square))).toBeCloseTo(0.64)
  })
  it('snaps to points nearby and to the border, and stays in the picture', () => {
    expect(snapped([0.505, 0.5], [[0.5, 0.5]], [0.01, 0.01])).toEqual([0.5, 0.5])
    expect(snapped([0.004, 0.5], [], [0.01, 0.01])).toEqual([0, 0.5])
    expect(snapped([1.4, -2], [], [0.01, 0.01])).toEqual([1, 0])
    expect(snapped([0.52, 0.5], [[0.5, 0.5]], [0.01, 0.01])).toEqual([0.52, 0.5])
  })
  it('is moved as a whole, no further than the border', () => {
    expect(moved(square, 0.5, -0.05)).toEqual([[0.2, 0.05], [1, 0.05], [1, 0.85], [0.2, 0.85]])
  })
  it('gets and loses points', () => {
    expect(inserted(square, 3, [0.1, 0.5])).toHaveLength(5)
    expect(withoutPoint(square, 0)[0]).toEqual([0.9, 0.1])
  })
})

describe('steps', () => {
  it('go back and forth, and a new one forgets those undone', () => {
    const third = put(put(begin(1), 2), 3)
    expect(back(back(third)).now).toBe(1)
    expect(back(back(back(third))).now).toBe(1)
    expect(forth(back(third)).now).toBe(3)
    expect(put(back(third), 9).future).toEqual([])
  })
})

describe('the zones of a camera', () => {
  const camera = { tasks: [{ kind: 'a', zone: null, dwell_s: null }, { kind: 'b', zone: { name: '门前' }, dwell_s: 60 }] } as unknown as Camera
  const zones = [{ id: '1', camera: 'c', name: '门前', points: square, schedule: [], permitted: [] }] as Zone[]
  it('are edited with what is looked for in them', () => {
    const edited = editedOf(camera, zones)
    expect(edited.whole).toEqual([{ kind: 'a', dwell_s: null }])
    expect(edited.zones[0]).toMatchObject({ was: '门前', kinds: [{ kind: 'b', dwell_s: 60 }] })
    expect(JSON.stringify(toWire(edited))).not.toContain('key')
    expect(freeName(edited.zones, '区域')).toBe('区域1')
    expect(withKind(edited.whole, 'a', false)).toEqual([])
  })
  it('say where a kind is looked for', () => {
    const edited = editedOf(camera, zones)
    expect(placesOf(edited, 'a')).toEqual([{}])
    expect(placesOf(edited, 'b')).toEqual([{ zone: square, dwell_s: 60 }])
    expect(placesOf({ ...edited, whole: [{ kind: 'b', dwell_s: 9 }] }, 'b')).toEqual([{ zone: square, dwell_s: 60 }, { dwell_s: 9 }])
    expect(placesOf(edited, 'c')).toEqual([])
  })
  it('differ by name and by what they hold, not by the order of their kinds', () => {
    const before = editedOf(camera, zones)
    const [one] = before.zones
    expect(differences(before, { ...before, zones: [{ ...one!, key: 9, was: null }] })).toEqual({ added: [], removed: [], changed: [], whole: false })
    const after = { whole: [], zones: [{ ...one!, kinds: [] }, { ...one!, name: '路口' }] }
    expect(differences(before, after)).toEqual({ added: ['路口'], removed: [], changed: ['门前'], whole: true })
    expect(differences(after, before)).toMatchObject({ removed: ['路口'] })
  })
})

describe('the address of a camera', () => {
  const blanks = { host: ' 10.0.0.7 ', port: '', user: 'admin', password: 'p@ss/1', channel: '2' }
  it('is made by its maker’s template, the password escaped', () => {
    expect(filled(TEMPLATES.find((one) => one.id === 'hikvision')!, blanks)).toBe('rtsp://admin:p%40ss%2F1@10.0.0.7:554/Streaming/Channels/201')
    expect(filled(TEMPLATES.find((one) => one.id === 'dahua-jpeg')!, { ...blanks, user: '', port: '8080' })).toBe('http://10.0.0.7:8080/cgi-bin/snapshot.cgi?channel=2')
  })
})

describe('the queue of two people', () => {
  const alert = (id: string, by: string | null, later: string | null = null) => ({ id, claimed_by: by ? { user: by, name: by } : null, postponed_until: later }) as Alert
  const queue = [alert('a', 'li'), alert('b', null), alert('c', 'li'), alert('d', 'wang')]
  it('offers what nobody else has in hand', () => {
    expect(firstFree(queue, 'wang')).toBe('b')
    expect(following(queue, 'b', 'wang')).toBe('d')
    expect(following(queue, 'd', 'wang')).toBe('c')
    expect(heldByOther(queue[3]!, 'wang')).toBe(false)
  })
  it('leaves out what is put off until its time has come', () => {
    const now = Date.UTC(2026, 10, 27, 3)
    const off = [alert('a', null, '2026-11-27T03:30:00Z'), alert('b', null, '2026-11-27T02:30:00Z')]
    expect(due(off, now).map((one) => one.id)).toEqual(['b'])
  })
})
