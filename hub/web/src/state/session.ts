// Who is signed in, what the hub says of itself, and which theme this person works in.
import { computed, ref, watch } from 'vue'
import { ApiError, del, get, post } from '../api/client'
import { closeFeed, openFeed } from '../api/feed'
import type { HubInfo, Role, Session } from '../api/types'
import { setHubClock } from './now'
import { forgetSeen, keepSession, lastSession } from './seen'

export const hub = ref<HubInfo | null>(null)
export const session = ref<Session | null>(null)
const is = (...roles: Role[]): boolean => session.value !== null && roles.includes(session.value.role)
/** Whoever decides alerts, and accepts and closes cases. */
export const isStaff = computed(() => is('staff', 'admin', 'shift_leader', 'acceptor'))
/** People outside the centre: a unit's, or grid members. They see what is theirs, mostly on a phone. */
export const isDepartment = computed(() => is('department', 'department_lead', 'handler', 'collector'))
export const mayReport = computed(() => is('staff', 'admin', 'shift_leader', 'acceptor', 'collector'))
/** Whether the person's role holds the right (`Right` of hub/domain/role.py). */
export const can = (right: string): boolean => session.value?.rights.includes(right) ?? false

export const mayEdit = computed(() => session.value?.role === 'engineer' || session.value?.role === 'admin')
export const maySeePhones = isStaff

const MARK = 'gridhub.signed-in' // the cookie itself can't be read: this spares a first visitor a refused request

export async function loadHub(): Promise<void> {
  hub.value = await get<HubInfo>('/api/hub')
  setHubClock(hub.value.now, hub.value.timezone)
}

/** The session of an earlier visit, if there is one. */
export async function resume(): Promise<void> {
  if (!localStorage.getItem(MARK)) return
  try {
    begin(await get<Session>('/api/session'))
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) localStorage.removeItem(MARK)
    // In a tunnel a department's phone goes on with what it has; the hub asks who it is with the first request it gets.
    const last = error instanceof ApiError && error.status === 0 ? await lastSession() : null
    if (last) begin(last)
  }
}

export async function signIn(user: string, password: string): Promise<void> {
  begin(await post<Session>('/api/session', { user, password }))
}

export async function changePassword(old: string, next: string): Promise<void> {
  await post('/api/session/password', { old, new: next })
  begin(await get<Session>('/api/session'))
}

export async function signOut(): Promise<void> {
  await del('/api/session')
  await forgetSeen()
  end()
}

export function end(): void {
  localStorage.removeItem(MARK)
  session.value = null
  closeFeed()
}

function begin(next: Session): void {
  localStorage.setItem(MARK, '1')
  session.value = next
  if (!next.must_change_password) openFeed()
  if (isDepartment.value && !next.must_change_password) void keepSession(next)
}

/** The first screen of each role. */
export function homeOf(role: string | undefined): string {
  if (role === 'engineer') return '/cameras'
  if (role === 'auditor') return '/admin/audit'
  // Before anybody has signed in: the desk, so that the address does not name a place to go back to.
  return !role || ['staff', 'admin', 'shift_leader', 'acceptor'].includes(role) ? '/desk' : '/cases'
}

type Theme = 'dark' | 'light'
const chosen = ref<Theme | null>(localStorage.getItem('gridhub.theme') as Theme | null)
export const theme = computed<Theme>(() => chosen.value ?? (isDepartment.value ? 'light' : 'dark'))
export function setTheme(next: Theme): void {
  chosen.value = next
  localStorage.setItem('gridhub.theme', next)
}
watch(theme, (value) => {
  document.documentElement.dataset.theme = value
  document.documentElement.classList.toggle('dark', value === 'dark')
}, { immediate: true })
