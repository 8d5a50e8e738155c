// What verdicts teach, as the page sees it: shares with intervals, thresholds, models and their shadows, data sets.
import type { Box, Names } from './types'

export interface Share { hits: number; of: number; share: number | null; low: number; high: number }
export interface Counts { right: number; wrong: number; unwanted: number; unclear: number; waiting: number; judged: number; volume: number; enough: boolean; precision: Share; seen_right: Share }
export interface PrecisionRow extends Counts { kind: string; kind_name: Names; camera: string; camera_name: string; hour: number; recall_proxy?: Share & { within_m: number } }
export interface Precision { items: PrecisionRow[]; all: Counts; since: string; days: number }
export interface Effect { confirmed: number; kept: number; rejected: number; removed: number; unwanted: number; unwanted_removed: number; unknown: number; precision: Share }
export interface Candidate extends Effect { score: number }
export interface Advice {
  kind: string; kind_name: Names; model: { name: string; version: string } | null; judged: number; confirmed: number; rejected: number; unwanted: number
  now: { min_score: number | null; from: string }; why: string; needs: { confirmed: number; rejected: number }
  advised: Candidate | null; candidates: Candidate[]; scores: { score: number; truth: string; alert: string }[]
  hours: ({ hour: number } & Counts)[]; idle_hours: number[]
}
export interface Changed { before: Effect; effect: Effect; lost: string[]; gone: string[] }
export interface Window { from: string; to: string; days?: number[] }
export interface Tuning { camera: string | null; min_score: number | null; dwell_s: number | null; enabled: boolean | null; schedule: Window[] | null; note: string; by: string; at: string }
export interface KindItem {
  id: string; name: Names; category: Record<string, string>; enabled?: boolean; off_because?: Names; zone?: string; limit: string; department: string
  look_for?: { model: string; labels?: string[]; min_score?: number }; rule?: { type: string; dwell_s: number; looks?: number; of?: number }
  schedule?: Window[]; evidence?: Names; tunings: Tuning[]; version: string
}
export interface Paired {
  both_right: number; both_wrong: number; live_right: number; live_wrong: number; shadow_right: number; shadow_wrong: number; shadow_waiting: number
  judged: number; live: { precision: Share; found: Share }; shadow: { precision: Share; found: Share }; keeps: Share; better: number; worse: number; luck: number
}
export interface Refusal { why: string; values: Record<string, string | number>; text: string }
export interface Sighting {
  id: string; kind: string; camera: string; camera_name: string; seen_at: string; count: number; score: number; boxes: Box[]; url: string | null; decision: string | null; reason: string | null
}
export interface ShadowRun { id: string; base: string; model: string; version: string; running: boolean; started_at: string; started_by: string; ended_at: string | null }
export interface ShadowScore extends ShadowRun { all: Paired; kinds: ({ kind: string; kind_name: Names } & Paired)[]; refusals: Refusal[]; alone: Sighting[] }
export interface Measured { ap50?: number; ap50_range?: [number, number]; precision?: number; recall?: number; at_score?: number; pictures?: number; boxes?: number }
/** What a model scored on one set; `auc` is a classifier's, over all its labels. */
export interface MeasuredSet { pictures?: number; auc?: number; auc_range?: [number, number]; classes?: Record<string, Measured> }
export interface ModelCard {
  summary?: string; task: string; labels: string[]; licence?: string; sha256: string; limits?: string[]; zh?: { summary: string; limits: string[] }; thresholds?: Record<string, number>
  data?: { name: string; set: string; licence: string }[]; speed?: Record<string, unknown>
  measured?: { how?: string; validation?: Record<string, MeasuredSet> }
}
export interface ModelItem { name: string; version?: string; bytes?: number; works_as: string[]; kinds: string[]; kind_names: Names[]; checks: Names[]; problem: string | null; shadow_of: string | null; card?: ModelCard }
export interface Promotion { id: number; base: string; model: string; version: string; at: string; by: string; ended_at: string | null; rolled_back_from: number | null }
export interface Models { items: ModelItem[]; shadows: ShadowRun[]; promotions: Promotion[] }
export interface Drift { camera: string; camera_name: string; model: string; label: string; since: string; psi: number; ks: number; recent: number; before: number }
export interface DatasetMade {
  url: string; bytes: number; confirmed: number; hard_negatives: number; boxes: number; labels: string[]; split: { train: number; val: number }
  cameras: { train: number; val: number }; left_out: Record<string, number>; manifest_sha256: string
}
