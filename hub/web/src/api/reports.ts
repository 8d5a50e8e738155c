// Reports, supervision, letters and whistles as the hub gives them.
import type { Category, Names } from './types'

/** In both languages, or a text that is the same in both; reports of before 2026-11-28 are kept in Chinese alone. */
export type Said = Names | string
export interface Drill { counter: string; period: string; [dimension: string]: string }
export interface Cell { text: string; value?: number | null; percent?: boolean; drill?: Drill | null; case?: string }
export interface Change { was: number | null; rise: boolean | null; rate: number | null; text: string }
export interface Fact extends Cell { key: string; name: Names; before: Change; year: Change }
export interface ChartData { title: Names; shape: 'columns' | 'bars' | 'line'; unit: string; labels: Said[]; series: { name: Names; values: (number | null)[] }[] }
export interface Section { id: string; heading: Names; text: Said[]; facts: Fact[]; table: { columns: (Names & { percent?: boolean })[]; rows: (Cell | Said)[][] } | null; chart: ChartData | null; note: Said }
export interface Report {
  kind: string
  kind_name: Names
  title: Names
  number: Names
  period: Names & { name: string; first: string; last: string; over: boolean }
  rule_version: string
  made_at: string
  issued_at: string | null
  issued_by: string | null
  notes: string
  sections: Section[]
}
export interface IssuedReport { kind: string; kind_name: Names; period: string; title: Names; number: Names; issued_at: string; issued_by: string }

export interface CaseBrief { id: string; number: string; state: string; state_name: Names; category: Category; address: string; department: string | null; urgent: boolean; opened_at: string; deadline: string | null; closed_at: string | null }
export interface CountedCase extends CaseBrief { department_name: string | null; department_name_en: string | null; finished_at: string | null }

export interface Act { action: string; name: Names }
export interface Letter {
  id: string
  kind: string
  kind_name: Names
  state: string
  number: string | null
  title: string
  to: string
  to_en: string
  fields: Record<string, string>
  lines: Record<string, string>[]
  /** English of the Chinese words in its lines, where the hub has it; the letter itself stays as issued. */
  english: Record<string, string>
  /** Of its cases, those outside the grids that the reader is limited to; it has no files for him then. */
  elsewhere: number
  created_at: string
  created_by: string
  issued_at: string | null
  signed_by: string | null
  reply_required: boolean
  reply_due_at: string | null
  reply_late: boolean
  replied_at: string | null
  replied_by: string | null
  reply: string
  reply_evidence: { url: string }[]
  decided_note: string
  actions: Act[]
}
export interface Supervision { id: string; case: CaseBrief; department_name: string | null; department_name_en: string | null; level: number; level_name: Names; cause: string; cause_name: Names; demands: string; due_at: string; raised_at: string; raised_by: string; ended_at: string | null; letter: { id: string; number: string | null; state: string } | null; batch: { id: string; number: string } | null }
export interface Coming { case: CaseBrief; department_name: string | null; department_name_en: string | null; level: number; level_name: Names; due_at: string; deadline: string }
export interface Desk { coming: Coming[]; letters: { draft: number; waiting: number; late: number; answered: number }; to_batch: number; levels: { level: number; name: Names }[]; causes: { cause: string; name: Names }[] }
export interface Template { kind: string; name: Names; fields: string[]; rows: Record<string, string[]>; shipped: boolean; by: string; at: string }

export interface WhistleCall { department: string; name: string; name_en: string; task: string; due_at: string | null; arrived_at: string | null; arrived_by: string; note: string; evidence: { url: string }[]; late: boolean; mark: number | null; mark_note: string; back_mark: number | null; back_mark_note: string }
export interface Whistle {
  id: string
  number: string
  kind: string
  kind_name: Names & { for: string }
  state: string
  state_name: Names
  open: boolean
  case: string | null
  initiator: { id: string; name: string; name_en: string }
  subject: string
  place: string
  raised_at: string
  raised_by: string
  decided_at: string | null
  decided_by: string | null
  decided_note: string
  arrival_limit: string
  result: string
  resolved: boolean | null
  result_at: string | null
  result_by: string | null
  calls: WhistleCall[]
  actions: Act[]
}
export interface WhistleRate { department: string; name: string; name_en: string; called: number; arrival_rate: number | null; in_time_rate: number | null; resolved_rate: number | null; mark: number | null }
