// The hub's HTTP contract as the page sees it. What has a model in hub/api/shown.py comes from schema.ts, which is
// generated (`make schema`) and held to the hub by tests/unit/hub/test_page_types.py; the rest is written here.
// Times are RFC 3339 strings with an offset, boxes and points are shares of the picture (0-1), positions WGS-84.

import type { ListedCase, Names, WholeCase } from './shown'

export type * from './shown'

export type Role =
  | 'admin' | 'staff' | 'shift_leader' | 'acceptor' | 'dispatcher' | 'department' | 'department_lead' | 'handler' | 'collector'
  | 'evaluator' | 'leader' | 'auditor' | 'engineer' | 'worker' | 'client'
export interface Page<T> { items: T[]; next_cursor: string | null; total: number }

export interface Problem {
  type?: string
  title?: string
  status?: number
  detail?: string
  [more: string]: unknown
}

export interface DemoAccount { user: string; password: string; role: Role; name: string }
export interface HubInfo {
  name: string
  version: string
  demo: boolean
  accounts?: DemoAccount[]
  now: string
  timezone: string
  tile_url?: string | null
}

export interface Session {
  user: string
  name: string
  role: Role
  department: string | null
  must_change_password: boolean
  rights: string[]
}

export type Reason =
  | 'false_detection' | 'wrong_class' | 'already_handled' | 'permitted' | 'unclear' | 'duplicate' | 'permitted_time'

/** As lists have it; what belongs to one case alone (its history, clocks, requests …) came with it when it was opened. */
export type Case = ListedCase & Partial<Omit<WholeCase, keyof ListedCase>>
export type CaseState = Case['state']

export type CameraState =
  | 'online' | 'offline' | 'stale' | 'black' | 'frozen' | 'blurred' | 'covered' | 'moved' | 'wrong_size' | 'clock_wrong' | 'unknown'
/** When cameras were last looked at: lists of the same length; `ago_ms` before `at`. */
export interface Looks { at: string; ids: string[]; ago_ms: number[]; attained_s: (number | null)[] }

export interface Notice {
  id: string
  trouble: string
  cause: { kind: 'host' | 'subnet' | 'street' | 'all' | 'none'; value: string; name: string }
  since: string
  ended_at: string | null
  out: number
  total: number
  cameras: { id: string; name: string; since: string; back_at: string | null; times: number }[]
}

export interface Department { id: string; name: string; name_en?: string; code?: string }
export interface Kind { id: string; name: Names }
export interface Numbers {
  alerts: { opened: number; pending: number; unsure: number; postponed: number; confirmed: number; rejected: number }
  cases: Partial<Record<CaseState, number>>
  cameras: Partial<Record<string, number>>
  sensors: Partial<Record<string, number>>
}

export interface GridCollection {
  type: 'FeatureCollection'
  features: {
    type: 'Feature'
    properties: { id: string; name: string; level?: string; parent?: string | null }
    geometry: { type: 'Polygon' | 'MultiPolygon'; coordinates: unknown }
  }[]
}
