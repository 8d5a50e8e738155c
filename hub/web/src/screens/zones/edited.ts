// What the zone editor edits: all zones of a camera with their kinds and hours, and the kinds of the whole picture. Pure.
import type { Camera, Permit, Point, Window, Zone } from '../../api/types'

export interface KindTask { kind: string; dwell_s: number | null }
export interface EditedZone { key: number; was: string | null; name: string; points: Point[]; schedule: Window[]; permitted: Permit[]; kinds: KindTask[] }
export interface Edited { zones: EditedZone[]; whole: KindTask[] }

/** From what the hub has. */
export function editedOf(camera: Camera, zones: readonly Zone[]): Edited {
  const of = (name: string | null): KindTask[] => camera.tasks.filter((task) => (task.zone?.name ?? null) === name).map(({ kind, dwell_s }) => ({ kind, dwell_s }))
  return {
    zones: zones.map((zone, key) => ({ key, was: zone.name, name: zone.name, points: zone.points, schedule: zone.schedule, permitted: zone.permitted, kinds: of(zone.name) })),
    whole: of(null),
  }
}

/** As the hub takes it. */
export const toWire = ({ zones, whole }: Edited): unknown => ({ zones: zones.map(({ key: _key, ...zone }) => zone), whole })

/** A name that no zone has yet. */
export function freeName(zones: readonly EditedZone[], stem: string): string {
  const names = new Set(zones.map((zone) => zone.name))
  for (let n = 1; ; n += 1) if (!names.has(`${stem}${n}`)) return `${stem}${n}`
}
export const withZone = (edited: Edited, key: number, change: Partial<EditedZone>): Edited => ({ ...edited, zones: edited.zones.map((zone) => (zone.key === key ? { ...zone, ...change } : zone)) })
export const withKind = (kinds: readonly KindTask[], kind: string, on: boolean): KindTask[] => (on ? [...kinds, { kind, dwell_s: null }] : kinds.filter((task) => task.kind !== kind))
