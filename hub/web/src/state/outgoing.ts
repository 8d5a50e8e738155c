// What was ordered while the hub could not be reached: kept on this device, sent when it can be, done there once.
// Each order has an id of its own (`request_id`); the hub carries an id out once, so sending again is always safe.
import { computed, shallowRef } from 'vue'
import { ApiError, post } from '../api/client'
import { connection, onHealed } from '../api/feed'
import { drop, keep, readAll } from '../logic/device'
import type { Case, CaseAction, Names } from '../api/types'
import { session } from './session'

const TRY_AGAIN_MS = 15000
export interface KeptPhoto { type: string; name: string; blob: Blob }
/** `refused`: the hub has answered, and will not have it; a person decides what becomes of it. */
export interface Outgoing {
  id: string; user: string; case: string; number: string; action: string; name: Names; values: Record<string, unknown>; photos: KeptPhoto[]
  at: string; refused?: string
}

export const outgoing = shallowRef<Outgoing[]>([])
export const waiting = computed(() => outgoing.value.filter((one) => !one.refused))
export const ofCase = (id: string): Outgoing[] => outgoing.value.filter((one) => one.case === id)

/** Whether an answer means that the hub was not reached, so that trying again is right. */
export const unreached = (error: unknown): boolean => error instanceof ApiError && (error.status === 0 || [408, 429, 502, 503, 504].includes(error.status))

function formOf(one: Pick<Outgoing, 'id' | 'values' | 'photos'>): FormData | Record<string, unknown> {
  const body = { ...one.values, request_id: one.id }
  if (!one.photos.length) return body
  const form = new FormData()
  for (const [name, value] of Object.entries(body)) form.append(name, String(value))
  for (const photo of one.photos) form.append(`photos:${photo.type}`, photo.blob, photo.name)
  return form
}

export const sendNow = (one: Outgoing): Promise<Case | { case: Case }> => post(`/api/cases/${encodeURIComponent(one.case)}/${one.action}`, formOf(one))

export function orderOf(item: Case, action: CaseAction, values: Record<string, unknown>, photos: KeptPhoto[]): Outgoing {
  return { id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`, user: session.value!.user, case: item.id, number: item.number, action: action.action, name: { ...action.name }, values, photos, at: new Date().toISOString() }
}

/** Keep it until it can be sent. Throws where this device keeps nothing (a private window). */
export async function keepOutgoing(one: Outgoing): Promise<void> {
  await keep('outgoing', one.id, one)
  outgoing.value = [...outgoing.value, one]
}

export async function discard(id: string): Promise<void> {
  await drop('outgoing', id)
  outgoing.value = outgoing.value.filter((one) => one.id !== id)
}

let busy = false
const sentHandlers = new Set<(one: Outgoing) => void>()
export function onSent(handler: (one: Outgoing) => void): () => void {
  sentHandlers.add(handler)
  return () => sentHandlers.delete(handler)
}

/** Send what waits, in the order in which it was written; stops at the first that does not get through. */
export async function sendWaiting(): Promise<void> {
  if (busy || !waiting.value.length || connection.value.state === 'off') return
  busy = true
  try {
    for (const one of waiting.value) {
      try {
        await sendNow(one)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (unreached(error) || error.status === 401) return
        const refused = { ...one, refused: error.message }
        await keep('outgoing', one.id, refused)
        outgoing.value = outgoing.value.map((other) => (other.id === one.id ? refused : other))
        continue
      }
      await discard(one.id)
      for (const handler of [...sentHandlers]) handler(one)
    }
  } finally {
    busy = false
  }
}

let following = false
/** After sign-in: what this person left here, and from now on whatever brings the connection back. */
export async function followOutgoing(): Promise<void> {
  try {
    outgoing.value = (await readAll<Outgoing>('outgoing')).filter((one) => one.user === session.value?.user).sort((a, b) => a.at.localeCompare(b.at))
  } catch {
    return // nothing is kept on this device
  }
  if (!following) {
    following = true
    window.addEventListener('online', () => void sendWaiting())
    onHealed(() => void sendWaiting())
    setInterval(() => void sendWaiting(), TRY_AGAIN_MS)
  }
  void sendWaiting()
}
