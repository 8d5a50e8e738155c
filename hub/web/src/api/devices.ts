// What the hub tells of sensors beyond their registry: quarantine, mapping profiles, links, notices, maintenance.
import type { Names, Page, Sensor } from './types'

export interface Measured { prop: string; channel?: string; value: number; unit: string; at?: string }
export interface Stranger {
  device: string
  form: string
  topic: string
  payload: string
  readings: Measured[]
  announced: { prop: string; name: string; unit: string; state_topic: string; readable: string }[]
  model: string
  /** Seconds between messages, where a discovery says when a value expires. */
  every_s: number | null
  first_seen: string
  last_seen: string
  count: number
  ignored: boolean
  suggested: string | null
}
export interface Setting { label: Names | string; unit?: string; default?: number }
export interface Profile { id: string; name: Names; settings?: Record<string, Setting> }
export interface Mapping { id: string; text: string; topics: string[]; sample: string; own: boolean; changed_by?: string; changed_at?: string }
export interface Tried {
  readings: { device: string; prop: string; channel: string; value: number; unit: string; observed_at: string; quality: string }[]
  problems: string[]
  others?: string[]
}
export interface Link {
  sensor: string
  sensor_name: string
  profile: string
  address: string
  camera: string
  camera_name: string
  preset: string | null
  camera_look_url: string | null
  state: 'proposed' | 'confirmed' | 'refused'
  distance_m: number
}
export interface SensorNotice {
  id: string
  code: string
  sensor: string | null
  name: string
  gateway: string
  what: string
  why: Partial<Names>
  children: { id: string; name: string }[]
  since: string
  ended_at: string | null
}
export interface DeviceEvent { code: string; text: string; at: string }
/** Births of a Sparkplug edge node are missing, or were; `sent_at`: when it was told to tell them again. */
export interface Rebirth { node: string; why: string; missing_at: string; asked_at: string | null; asked_by: string | null; sent_at: string | null }
export interface DeviceEvents extends Page<DeviceEvent> { rebirth: Rebirth | null }
export interface SetAside { id: string; sensor: string; kind: string; kind_name: Names; at: string; why: string; why_en: string }
export interface Trend { prop: string; points: number[] }
export interface Line { prop: string; channel: string; unit: string; at: string[]; last: number[]; lowest?: number[]; highest?: number[] }
export interface Limits { warn?: number; alarm?: number; high?: number }
export interface Chart { sensor: string; grain: string; since: string; until: string; series: Line[]; limits: Record<string, Limits> }
export type { Sensor }
