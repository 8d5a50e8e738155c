// The cases on this screen: the open ones by what is left of their time, and the one that is opened.
import { ref, shallowRef } from 'vue'
import { all, ApiError, get } from '../api/client'
import { onFeed, onHealed, withFeed } from '../api/feed'
import type { Case, ListedRequest, CaseState } from '../api/types'
import { newest } from '../logic/newest'
import { keepCase, keepInbox, lastCase, lastInbox, seenAt } from './seen'
import { said } from './sending'
import { isDepartment, session } from './session'

export const cases = shallowRef<Case[]>([])
export const closedCases = shallowRef<Case[]>([])
export const casesTotal = ref(0)
export const casesLoaded = ref(false)
export const casesFailure = ref<string | null>(null)
export const current = shallowRef<Case | null>(null)
/** The case that was open and went elsewhere: it is no longer for this person. */
export const gone = ref<string | null>(null)

const DONE: readonly CaseState[] = ['closed', 'void']
const COUNTED: readonly CaseState[] = ['reported', 'verifying', 'filed', 'dispatched', 'handling', 'suspended', 'feedback', 'checking', 'closed']
export const isDone = (item: Case): boolean => DONE.includes(item.state)

function due(item: Case): number {
  const at = item.clock?.deadline ?? item.deadline
  return at ? Date.parse(at) : Infinity
}

/** Least time left first; cases without a deadline last. */
export function byDeadline(a: Case, b: Case): number {
  return due(a) - due(b) || a.number.localeCompare(b.number)
}

export async function loadCases(): Promise<void> {
  try {
    const [page, told] = await withFeed('case', all<Case>('/api/cases?open=true&limit=200', 1000))
    cases.value = page.items.sort(byDeadline)
    told.forEach(put)
    casesTotal.value = page.total
    casesFailure.value = null
    casesLoaded.value = true
    seenAt.value = null
    if (isDepartment.value && session.value) void keepInbox(session.value.user, page.items)
  } catch (error) {
    if (away(error) && !cases.value.length) {
      const last = await lastInbox(session.value!.user)
      if (last) {
        cases.value = last.sort(byDeadline)
        casesTotal.value = last.length
        casesLoaded.value = true
        return
      }
    }
    casesFailure.value = error instanceof ApiError ? said(error) : String(error)
  }
}

export const foundCases = shallowRef<Case[]>([])
export const foundTotal = ref(0)
const finding = newest()
/** The case that the address names: only it is opened, whatever is read anew meanwhile. */
export const chosenId = ref('')
const opening = newest()
/** Cases in which a request waits for this person's consent. */
export const asked = shallowRef<Set<string>>(new Set())

export async function loadAsked(): Promise<void> {
  let page: { items: ListedRequest[] }
  try {
    page = await get<{ items: ListedRequest[] }>('/api/cases/requests?mine=true&limit=200')
  } catch (error) {
    if (error instanceof ApiError && error.status === 0) return // the next event asks again
    throw error
  }
  asked.value = new Set(page.items.map((request) => request.case.id))
}

/** Cases whose number, place or description holds the words, newest first. */
export async function findCases(words: string): Promise<void> {
  const page = await finding(get<{ items: Case[] }>(`/api/cases?limit=100&text=${encodeURIComponent(words)}`))
  if (page) foundCases.value = page.items
}

/** The list behind a number or an area: the filter's words are those of `GET /api/cases`; void cases are left out. */
export async function listCases(filter: Record<string, string>): Promise<void> {
  const page = await finding(get<{ items: Case[]; total: number }>(`/api/cases?${new URLSearchParams({ limit: '200', state: COUNTED.join(','), ...filter })}`))
  if (!page) return
  foundCases.value = page.items
  foundTotal.value = page.total
}

export async function loadClosed(): Promise<void> {
  const pages = await Promise.all(DONE.map((state) => get<{ items: Case[] }>(`/api/cases?state=${state}&limit=100`)))
  closedCases.value = pages.flatMap((page) => page.items).sort((a, b) => Date.parse(b.closed_at ?? b.opened_at) - Date.parse(a.closed_at ?? a.opened_at))
}

/** Whether a department's phone has no connection just now. */
const away = (error: unknown): boolean => isDepartment.value && session.value !== null && error instanceof ApiError && error.status === 0

export async function openCase(id: string): Promise<void> {
  try {
    const reading = get<Case>(`/api/cases/${encodeURIComponent(id)}`)
    const item = id === chosenId.value ? await opening(reading) : await reading
    if (!item) return
    if (id === chosenId.value) current.value = item
    put(item)
    if (isDepartment.value && session.value) void keepCase(session.value.user, item)
  } catch (error) {
    const last = away(error) ? await lastCase(session.value!.user, id) : null
    if (!last) throw error
    if (id === chosenId.value) current.value = last
  }
}

/** Reads the case anew. False where it went elsewhere: then it leaves the lists. Throws ApiError. */
export async function reopen(id: string): Promise<boolean> {
  try {
    await openCase(id)
    return true
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) throw error
    cases.value = cases.value.filter((other) => other.id !== id)
    return false
  }
}

/** Reads the open case anew because something happened; what cannot be fetched stays as it stands. */
async function renew(id: string): Promise<void> {
  if (current.value?.id !== id || (await reopen(id).catch(() => true)) || current.value?.id !== id) return
  gone.value = id
  current.value = null
}

function put(item: Case): void {
  const rest = cases.value.filter((other) => other.id !== item.id)
  cases.value = isDone(item) ? rest : [...rest, item].sort(byDeadline)
}

let stops: (() => void)[] = []
let asking: ReturnType<typeof setTimeout> | undefined
let reopening: ReturnType<typeof setTimeout> | undefined

export function followCases(): void {
  unfollowCases()
  const timer = setInterval(() => void loadCases(), 60000)
  stops = [
    onFeed('case', (item) => {
      put(item)
      clearTimeout(asking)
      asking = setTimeout(() => void loadAsked(), 1000)
      if (item.id !== current.value?.id) return
      clearTimeout(reopening)
      reopening = setTimeout(() => void renew(item.id), 300)
    }),
    onHealed(() => {
      void loadCases()
      if (current.value) void renew(current.value.id)
    }),
    () => clearInterval(timer),
  ]
}

export function unfollowCases(): void {
  for (const stop of stops) stop()
  stops = []
}
