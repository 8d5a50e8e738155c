// The rules of handling as the page sees them: classes, conditions, grids with their people, units, routing.
import type { Grid, Names } from './types'

export interface Counterpart { standard: string; code: string; name: string; en: string }
export interface ClassItem {
  standard: string; kind: string; code: string; name: string; en: string; group: string; group_en: string; extension: boolean
  verified: boolean; verified_by: string | null; verified_at: string | null; same: Counterpart[]; conditions: number
}
export interface Condition {
  id: string; standard: string; kind: string; code: string; area: string; group_name: string; class_name: string; class_en: string
  unit: string; unit_en: string; authority: string; authority_en: string
  filing: string; filing_en: string; closing: string; closing_en: string; limit: string
  verified: boolean; verified_by: string | null; verified_at: string | null
}
export interface RowProblem { sheet?: string; row: number; column: string; value: string; allowed: string; what?: string; note?: boolean }
export interface Imported {
  applied: boolean; good: number; refused: number; added?: number; changed?: number; same?: number; retired?: number
  removed?: number; problems?: RowProblem[]
}
export interface Person { id: string; role: string; role_name: Names; name: string; phone: string }
export interface GridItem {
  id: string; name: string; level: string; level_name: Names; parent: string | null; area_level: string
  persons: Person[]; cameras: number; sensors: number
}
export interface Unit { id: string; name: string; name_en: string; kind: string; grid: Grid | null; code: string; duties: string[]; duties_en: string[] }
export interface ClassName { code: string; name: string; en: string }
export interface RoutingTable {
  version: string; verified: boolean; duties: Record<string, ClassName[]>; owners: Record<string, ClassName[]>
  areas: { area: string; unit: string; classes: string[]; instead_of: string; why: string; why_en: string }[]
  grid_first: { classes: string[]; limits: Record<string, string> }
}
export interface Tried {
  code: string; name: string; grid: Grid | null; path: { id: string; name: string; level: string }[]; area_level: string
  persons: { grid: Grid; level: string; persons: Person[] }[]; limits: Record<string, string>
  routing: { unit: string | null; unit_name: string | null; step: string; grid_first: boolean; version: string; why: Names }
}
