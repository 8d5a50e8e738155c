// What the zone editor edits: all zones of a camera with their kinds and hours, and the kinds of the whole picture. Pure.
import type { LookedFor } from '../../api/schema'
import type { Camera, Permit, Point, Window, Zone } from '../../api/types'

export interface KindTask { kind: string; dwell_s: number | null }
export interface EditedZone { key: number; was: string | null; name: string; points: Point[]; schedule: Window[]; permitted: Permit[]; kinds: KindTask[] }
export interface Edited { zones: EditedZone[]; whole: KindTask[] }

/** From what the hub has. */
export function editedOf(camera: Pick<Camera, 'tasks'>, zones: readonly Zone[]): Edited {
  const of = (name: string | null): KindTask[] => camera.tasks.filter((task) => (task.zone?.name ?? null) === name).map(({ kind, dwell_s }) => ({ kind, dwell_s }))
  return {
    zones: zones.map((zone, key) => ({ key, was: zone.name, name: zone.name, points: zone.points, schedule: zone.schedule, permitted: zone.permitted, kinds: of(zone.name) })),
    whole: of(null),
  }
}

/** As the hub takes it. */
export const toWire = ({ zones, whole }: Edited): { zones: unknown[]; whole: KindTask[] } => ({ zones: zones.map(({ key: _key, ...zone }) => zone), whole })

/** Where, when and from how long on a kind is looked for, as the what-if takes it: in zones, and in the whole picture. */
export function placesOf({ zones, whole }: Edited, kind: string): LookedFor[] {
  const dwell = (tasks: readonly KindTask[]): { dwell_s?: number }[] => tasks.filter((task) => task.kind === kind).map(({ dwell_s }) => (dwell_s == null ? {} : { dwell_s }))
  const drawn = zones.flatMap(({ points, schedule, permitted, kinds }) => dwell(kinds).map((found): LookedFor => ({ zone: points, ...found, ...(schedule.length ? { schedule } : {}), ...(permitted.length ? { permitted } : {}) })))
  return [...drawn, ...dwell(whole)]
}

/** Names of zones that are in `after` only, in `before` only, or in both and not the same; `whole`: the whole picture's kinds. */
export interface Differences { added: string[]; removed: string[]; changed: string[]; whole: boolean }
export function differences(before: Edited, after: Edited): Differences {
  const shape = ({ key: _key, was: _was, kinds, ...zone }: EditedZone): string => JSON.stringify([zone.points, zone.schedule, zone.permitted, sorted(kinds)])
  const sorted = (kinds: readonly KindTask[]): unknown => [...kinds].sort((a, b) => a.kind.localeCompare(b.kind)).map((task) => [task.kind, task.dwell_s])
  const [old, now] = [before, after].map(({ zones }) => new Map(zones.map((zone) => [zone.name.trim(), shape(zone)]))) as [Map<string, string>, Map<string, string>]
  return {
    added: [...now.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !now.has(name)),
    changed: [...now.keys()].filter((name) => old.has(name) && old.get(name) !== now.get(name)),
    whole: JSON.stringify(sorted(before.whole)) !== JSON.stringify(sorted(after.whole)),
  }
}

/** A name that no zone has yet. */
export function freeName(zones: readonly EditedZone[], stem: string): string {
  const names = new Set(zones.map((zone) => zone.name))
  for (let n = 1; ; n += 1) if (!names.has(`${stem}${n}`)) return `${stem}${n}`
}
export const withZone = (edited: Edited, key: number, change: Partial<EditedZone>): Edited => ({ ...edited, zones: edited.zones.map((zone) => (zone.key === key ? { ...zone, ...change } : zone)) })
export const withKind = (kinds: readonly KindTask[], kind: string, on: boolean): KindTask[] => (on ? [...kinds, { kind, dwell_s: null }] : kinds.filter((task) => task.kind !== kind))
