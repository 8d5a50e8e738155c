// Units and grids as choices offer them: shown in the screen's language, found by either name and by the code.
import type { Department, GridCollection } from '../api/types'
import type { Option } from '../logic/choice'
import { unitOf } from '../words'

export const unitOptions = (units: Department[]): Option[] => units.map((unit) => ({ value: unit.id, label: unitOf(unit), also: `${unit.name} ${unit.name_en ?? ''} ${unit.code ?? ''}` }))

export const gridOptions = (grids: GridCollection | null): Option[] => (grids?.features ?? []).map((grid) => ({ value: grid.properties.id, label: grid.properties.name }))
