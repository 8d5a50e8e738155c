// Calls to the hub: JSON in and out, problem+json as ApiError, and what happens when the session has ended.
import { kindOf, refusalOf } from '../words/refusal'
import type { Page, Problem } from './types'

/** An answer that is not 2xx, or no answer at all (status 0). `message` is fit to be shown. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super(refusalOf(problem, status))
  }

  /** The last part of the problem's type, e.g. `already-decided`. */
  get kind(): string {
    return kindOf(this.problem)
  }
}

let onSignedOut: () => void = () => undefined
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (method !== 'GET') headers['X-Gridhub'] = '1'
  if (body instanceof FormData) init.body = body
  else if (body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(body)
  }
  let answer: Response
  let text: string
  try {
    answer = await fetch(path, init)
    text = await answer.text()
  } catch {
    throw new ApiError(0, { type: 'unreachable' })
  }
  const data: unknown = text && (answer.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : null
  if (answer.ok) return data as T
  if (answer.status === 401 && path !== '/api/session') onSignedOut()
  throw new ApiError(answer.status, (data as Problem | null) ?? { title: text.slice(0, 200) || `HTTP ${answer.status}` })
}

export const get = <T>(path: string): Promise<T> => request<T>('GET', path)
export const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>('POST', path, body)
export const patch = <T>(path: string, body: unknown = {}): Promise<T> => request<T>('PATCH', path, body)
export const put = <T>(path: string, body: unknown = {}): Promise<T> => request<T>('PUT', path, body)
export const del = <T>(path: string): Promise<T> => request<T>('DELETE', path)

/** Every item of a paged list, at most `most` (the page says so when there are more: compare with `total`). */
export async function all<T>(path: string, most = 5000): Promise<{ items: T[]; total: number }> {
  const items: T[] = []
  let cursor: string | null = null
  let total = 0
  do {
    const join: string = path.includes('?') ? '&' : '?'
    const page: Page<T> = await get<Page<T>>(cursor ? `${path}${join}cursor=${encodeURIComponent(cursor)}` : path)
    items.push(...page.items)
    total = page.total ?? items.length
    cursor = page.next_cursor ?? null
  } while (cursor && items.length < most)
  return { items, total }
}
