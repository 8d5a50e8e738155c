// The hub's HTTP contract as the page sees it. What has a model in hub/api/shown.py comes from schema.ts, which is
// generated (`make schema`) and held to the hub by tests/unit/hub/test_page_types.py; the rest is written here.
// Times are RFC 3339 strings with an offset, boxes and points are shares of the picture (0-1), positions WGS-84.

import type { Box, Category, Evidence, Grid, NamedUnit, Names, PhotoLink, Point } from './shown'

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

export type CaseState =
  | 'reported' | 'verifying' | 'filed' | 'dispatched' | 'handling' | 'suspended' | 'feedback' | 'checking' | 'closed' | 'void'
export interface CaseAction { action: string; name: Names; needs: string[] }
export interface HistoryEntry {
  at: string
  by: string
  by_name?: string | null
  action: string
  name?: Names
  from?: string | null
  to?: string | null
  note?: string | null
  department?: { id: string; name: string } | null
  evidence?: PhotoLink[]
  detail?: Record<string, unknown> | null
}
/** One run of a stage clock; `remaining_work_s` counts on the limit's own clock (mostly working time). */
export interface StageClock {
  id: number
  stage: string
  stage_name: Names
  department?: NamedUnit | null
  part: string | null
  limit: string
  extensions: number
  started_at: string
  deadline: string
  running: boolean
  paused_s: number
  used_s: number
  used_pct: number
  remaining_s: number
  remaining_work_s: number
  overdue: boolean
  finished_at: string | null
  outcome: string | null
  timed_out: boolean | null
  timeout_s: number | null
  exempt: boolean
}

/** Something that needs consent; `yours` when the one who asks may give it. */
export interface CaseRequest {
  id: string
  kind: string
  kind_name: Names
  state: 'asked' | 'passed' | 'granted' | 'denied' | 'taken_back' | 'lapsed'
  state_name: Names
  department: NamedUnit | null
  to_department: NamedUnit | null
  until: string | null
  reason: string
  asked_by_name: string
  asked_at: string
  first_by_name: string | null
  first_note: string
  decided_by_name: string | null
  decided_note: string
  yours: boolean
  case?: { id: string; number: string; state: CaseState }
}

/** The part of an assistant in a joint case. */
export interface CasePart {
  id: string
  department: NamedUnit
  task: string
  state: string
  state_name: Names
  open: boolean
  answer: string
  answered_at: string | null
  evidence: PhotoLink[]
  deadline: string | null
}

export interface CaseVisit {
  id: string
  kind: 'verify' | 'check'
  state: string
  assignee_name: string | null
  camera: string | null
  asked_at: string
  result: string | null
  result_name: Names | null
  note: string
  by_name: string | null
  at: string | null
}

export interface CaseReport {
  channel: string
  channel_name: Names
  attached: boolean
  description: string
  address: string
  at: string
  external_id?: string | null
  reporter?: { name: string; phone: string } | null
}

export interface CaseLink {
  relation: 'duplicate_of' | 'recurrence_of' | 'reopened_from'
  direction: 'to' | 'from'
  case: { id: string; number: string; state: CaseState; kind_name: Names }
}
export interface RecheckLook { boxes?: Box[] | null; captured_at: string; present: boolean | null; why?: string | null; url?: string | null }
export interface Recheck {
  id: string
  state: 'waiting' | 'looking' | 'done'
  looks: RecheckLook[]
  wanted: number
  proposal: 'close' | 'rework' | null
}

export interface GridPeople { grid: { id: string; name: string }; level: string; persons: { id: string; role: string; role_name: Names; name: string; phone: string }[] }

export interface Case {
  /** The level of the grid that has the case first (小事不出网格), and until when. */
  grid_step?: { level: number; level_name: Names; due_at: string | null } | null
  responsible?: GridPeople[]
  id: string
  number: string
  state: CaseState
  state_name: Names
  kind: string
  kind_name: Names
  category?: Category | null
  urgent: boolean
  camera: string | null
  sensor: string | null
  source_name: string
  preset: string | null
  zone: string | null
  zone_points?: Point[] | null
  boxes?: Box[]
  address: string
  grid: Grid | null
  lon?: number | null
  lat?: number | null
  department: { id: string; name: string } | null
  limit: string
  opened_at: string
  deadline: string | null
  remaining_s: number | null
  used_pct: number | null
  overdue: boolean
  clock_running?: boolean
  closing?: string | null
  closed_at: string | null
  rework_count: number
  actions?: CaseAction[]
  history?: HistoryEntry[]
  evidence?: Evidence[]
  recheck: Recheck | null
  alert: string | null
  channel?: string
  channel_name?: Names
  description?: string
  item_kind?: 'matter' | 'component'
  condition?: string | null
  street?: Grid | null
  community?: Grid | null
  routing?: { why?: Names; proposed?: string; unit?: string | null } | null
  filed_at?: string | null
  supervised?: number
  joint?: boolean
  whistle?: string | null
  recurrence?: boolean
  report_count?: number
  forced_close?: boolean
  timed_out?: boolean
  timeout_exempt?: boolean
  extension_count?: number
  suspended_until?: string | null
  clock?: StageClock | null
  clocks?: StageClock[]
  requests?: CaseRequest[]
  parts?: CasePart[]
  visits?: CaseVisit[]
  reports?: CaseReport[]
  links?: CaseLink[]
  calendar_missing?: number[]
}

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

export interface Department { id: string; name: string; name_en?: string }
export interface Kind { id: string; name: Names }
export interface Numbers {
  alerts: { opened: number; pending: number; confirmed: number; rejected: number }
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
