// The keys of the desk, as the help shows them and as they are heard. Each menu's choices are its numbers.
import type { Key } from '../../words'

export type Menu = 'reject' | 'mean' | 'merge' | 'postpone'
export const POSTPONE_MIN = [5, 15, 60]
export const SHORTCUTS: [keys: string[], does: Key][] = [
  [['J', '↓'], 'keys.next'], [['K', '↑'], 'keys.previous'], [['C', 'Enter'], 'keys.confirm'], [['R', '1–7'], 'keys.reject'],
  [['M', '1–9'], 'keys.mean'], [['G', '1–9'], 'keys.merge'], [['P', '1–3'], 'keys.postpone'], [['U'], 'keys.unsure'], [['Z'], 'keys.undo'],
  [['X'], 'keys.reject-all'], [['B'], 'keys.before'], [['S'], 'keys.compare'], [['V'], 'keys.clip'], [['[', ']'], 'keys.film'],
  [['+', '−', '0'], 'keys.zoom'], [['L'], 'keys.marks'], [['N'], 'keys.sound'], [['Esc'], 'keys.close'], [['?'], 'keys.help'],
]
