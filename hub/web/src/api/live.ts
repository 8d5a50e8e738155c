// Live view on the wire.
import { del, get, post } from './client'
import type { LiveReason, LiveView } from './schema'

export type { LiveReason, LiveView } from './schema'
/** Why somebody calls up a camera; `note` in words, `case` the id of the case it is about. */
export interface CallUp { reason: string; note: string; case?: string }

export const fetchReasons = async (): Promise<LiveReason[]> => (await get<{ items: LiveReason[] }>('/api/live/reasons')).items
export const callUp = (camera: string, why: CallUp): Promise<LiveView> => post('/api/live', { camera, ...why })
export const sendOffer = async (view: string, sdp: string): Promise<string> => (await post<{ sdp: string }>(`/api/live/${view}/offer`, { sdp })).sdp
export const beat = async (ids: string[]): Promise<Record<string, LiveView>> => (await post<{ views: Record<string, LiveView> }>('/api/live/beat', { ids })).views
export const closeView = (view: string): Promise<void> => del(`/api/live/${view}`)

/** On leaving the page: asked of the browser so that it is sent although the page is gone. */
export function closeViewsLate(ids: string[]): void {
  for (const id of ids) void fetch(`/api/live/${id}`, { method: 'DELETE', keepalive: true, credentials: 'same-origin', headers: { 'X-Gridhub': '1' } })
}

/** The newest picture taken after `after`; null where there is none yet. Throws where the camera gives none. */
export async function fetchShot(view: string, after: string | null): Promise<{ url: string; at: string } | null> {
  const answer = await fetch(`/api/live/${view}/look${after ? `?after=${encodeURIComponent(after)}` : ''}`, { credentials: 'same-origin', cache: 'no-store' })
  if (answer.status === 204) return null
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
  return { url: URL.createObjectURL(await answer.blob()), at: answer.headers.get('X-Captured-At') ?? '' }
}
