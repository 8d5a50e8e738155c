// What a department's phone last saw of its cases, for when there is no connection. Always shown as of when it was seen.
import { ref } from 'vue'
import type { Case, Session } from '../api/types'
import { clear, keep, read } from '../logic/device'

/** When what is on the screen was seen (RFC 3339), while it comes from this device and not from the hub; else null. */
export const seenAt = ref<string | null>(null)

interface Seen<T> { at: string; user: string; value: T }
const put = (key: string, user: string, value: unknown): Promise<void> => keep('seen', key, { at: new Date().toISOString(), user, value }).catch(() => undefined)

async function take<T>(key: string, user: string): Promise<T | null> {
  const found = await read<Seen<T>>('seen', key).catch(() => undefined)
  if (!found || found.user !== user) return null
  seenAt.value = found.at
  return found.value
}

export const keepInbox = (user: string, items: Case[]): Promise<void> => put('inbox', user, items)
export const lastInbox = (user: string): Promise<Case[] | null> => take<Case[]>('inbox', user)
export const keepCase = (user: string, item: Case): Promise<void> => put(`case/${item.id}`, user, item)
export const lastCase = (user: string, id: string): Promise<Case | null> => take<Case>(`case/${id}`, user)
export const keepSession = (value: Session): Promise<void> => put('session', value.user, value)

export async function lastSession(): Promise<Session | null> {
  return (await read<Seen<Session>>('seen', 'session').catch(() => undefined))?.value ?? null
}

/** On signing out: nothing of the cases stays on the device. */
export const forgetSeen = (): Promise<void> => clear('seen').catch(() => undefined)
