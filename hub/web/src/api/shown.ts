// The generated types that the page names, under the names it uses.
import type { Alert, Camera, CategoryOutput, Task, WhyOutput, ZoneShape } from './schema'

export type {
  Alert, Around, Beside, Camera, Evidence, Grid, Handover, LookShown, NamedUnit, Names, Precision, Reading, Rejected, Sensor, SensorMaintenance, Shift, ShiftFigures,
  Permit, PhotoLink, SimilarCase, Task, Verdict, Window, Zone, ZonesOfCamera, ZoneShape,
} from './schema'
export type {
  Case as ListedCase, CaseAction, CaseLink, CasePart, CaseReport, CaseRequest, CaseVisit, GridPeople, HistoryEntry, ListedRequest, Recheck, RecheckLook,
  StageClock, WholeCase,
} from './schema'
export type Category = CategoryOutput
export type Why = WhyOutput
export type AlertState = Alert['state']
export type CameraState = Camera['state']
export type Box = Alert['boxes'][number]
export type Point = ZoneShape['points'][number]
export type CameraTask = Task
