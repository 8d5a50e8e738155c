// The shift: what this person decided since the last hand-over, and the note that the shift before left.
import { ref } from 'vue'
import { get, post } from '../api/client'
import { onFeed } from '../api/feed'
import type { Handover, Shift } from '../api/types'
import { session } from './session'

export const shift = ref<Shift | null>(null)
let planned: ReturnType<typeof setTimeout> | undefined

export async function loadShift(): Promise<void> {
  planned = undefined
  try {
    shift.value = await get<Shift>('/api/shift')
  } catch {
    return // the lost connection is shown by the feed; the last figures stay
  }
}

/** After a verdict: at most once a second. */
export function refreshShift(): void {
  planned ??= setTimeout(() => void loadShift(), 1000)
}

export const followShift = (): (() => void) => onFeed('handover', refreshShift)

/** The note of somebody else that nobody has taken over yet. */
export function noteToRead(): Handover | null {
  const note = shift.value?.handover
  return note && !note.taken_by && note.by !== session.value?.user ? note : null
}

export async function handOver(note: string): Promise<void> {
  await post<Handover>('/api/shift/handover', { note })
  await loadShift()
}

export async function takeOver(note: Handover): Promise<void> {
  await post<Handover>(`/api/shift/handovers/${note.id}/take`)
  await loadShift()
}
