// The live views of this page: one beat tells the hub which are still looked at, and brings what each shows now.
import { shallowRef } from 'vue'
import { ApiError } from '../api/client'
import { beat, callUp, closeView, closeViewsLate, fetchReasons, type CallUp, type LiveReason, type LiveView } from '../api/live'

export const MOST_TILES = 16
const BEAT_MS = 4000

export const reasons = shallowRef<LiveReason[]>([])

export async function loadReasons(): Promise<void> {
  if (!reasons.value.length) reasons.value = await fetchReasons()
}

type Told = (view: LiveView | null) => void
const open = new Map<string, Told>()
let beating: ReturnType<typeof setInterval> | undefined

async function keep(): Promise<void> {
  try {
    const views = await beat([...open.keys()])
    for (const [id, told] of [...open]) told(views[id] ?? null)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error // the next beat tries again; the feed shows that the hub is away
  }
}

/** Looks at a camera; `told` hears of every change, and null once the hub has ended the view. */
export async function look(camera: string, why: CallUp, told: Told): Promise<LiveView> {
  const view = await callUp(camera, why)
  open.set(view.id, told)
  beating ??= setInterval(() => void keep(), BEAT_MS)
  return view
}

export function leave(id: string): void {
  if (!open.delete(id)) return
  if (!open.size) {
    clearInterval(beating)
    beating = undefined
  }
  closeView(id).catch(() => undefined) // the hub ends by itself what is not asked for any more
}

window.addEventListener('pagehide', () => closeViewsLate([...open.keys()]))
