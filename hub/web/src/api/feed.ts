// The live feed: one EventSource for the whole page, which says when it is lost, and heals.
import { ref } from 'vue'
import type { SensorNotice } from './devices'
import type { Letter, Whistle } from './reports'
import type { Alert, Camera, Case, Handover, Looks, Notice, Sensor } from './types'

/** `cameras` holds what changed of many cameras at once. */
export interface FeedEvents {
  alert: Alert
  letter: Letter
  whistle: Whistle
  case: Case
  camera: Camera
  cameras: { items: (Partial<Camera> & { id: string })[] }
  looks: Looks
  notice: Notice
  sensor: Sensor
  sensor_notice: SensorNotice
  quarantine: { waiting: number }
  handover: Handover
}
type Handler<T> = (value: T) => void

const NAMES = ['alert', 'case', 'camera', 'cameras', 'looks', 'notice', 'sensor', 'sensor_notice', 'quarantine', 'letter', 'whistle', 'handover'] as const
const handlers: { [K in keyof FeedEvents]: Set<Handler<FeedEvents[K]>> } = {
  alert: new Set(), case: new Set(), camera: new Set(), cameras: new Set(), looks: new Set(), notice: new Set(), sensor: new Set(),
  sensor_notice: new Set(), quarantine: new Set(), letter: new Set(), whistle: new Set(), handover: new Set(),
}
const healed = new Set<() => void>()

/** `off` before sign-in; `lost` while there is no connection; `since` is when it was lost (ms). */
export const connection = ref<{ state: 'off' | 'connecting' | 'open' | 'lost'; since: number }>({ state: 'off', since: 0 })

let source: EventSource | null = null
let retry: ReturnType<typeof setTimeout> | undefined
let waitMs = 1000
let wasLost = false

/** Calls `handler` for each event of that name until the returned function is called. */
export function onFeed<K extends keyof FeedEvents>(name: K, handler: Handler<FeedEvents[K]>): () => void {
  handlers[name].add(handler)
  return () => handlers[name].delete(handler)
}

/** The answer, and what the feed told under that name while it was asked for: the answer may be older than that. */
export async function withFeed<K extends keyof FeedEvents, T>(name: K, asking: Promise<T>): Promise<[T, FeedEvents[K][]]> {
  const told: FeedEvents[K][] = []
  const stop = onFeed(name, (value) => { told.push(value) })
  try {
    return [await asking, told]
  } finally {
    stop()
  }
}

/** Calls `handler` when the connection is back after a loss: lists fetch again what they may have missed. */
export function onHealed(handler: () => void): () => void {
  healed.add(handler)
  return () => healed.delete(handler)
}

export function openFeed(): void {
  if (source) return
  clearTimeout(retry)
  if (connection.value.state !== 'lost') connection.value = { state: 'connecting', since: Date.now() }
  source = new EventSource('/api/feed')
  source.onopen = opened
  source.onerror = failed
  source.addEventListener('reset', () => { for (const handler of [...healed]) handler() }) // more was missed than the hub remembers
  for (const name of NAMES) {
    source.addEventListener(name, (event) => dispatch(name, (event as MessageEvent<string>).data))
  }
}

export function closeFeed(): void {
  clearTimeout(retry)
  source?.close()
  source = null
  wasLost = false
  connection.value = { state: 'off', since: 0 }
}

function opened(): void {
  waitMs = 1000
  connection.value = { state: 'open', since: Date.now() }
  if (!wasLost) return
  wasLost = false
  for (const handler of [...healed]) handler()
}

function failed(): void {
  wasLost = true
  if (connection.value.state !== 'lost') connection.value = { state: 'lost', since: Date.now() }
  if (source?.readyState !== EventSource.CLOSED) return // the browser tries again by itself
  source = null
  retry = setTimeout(openFeed, waitMs * (0.75 + Math.random() / 2))
  waitMs = Math.min(waitMs * 2, 15000)
}

function dispatch<K extends keyof FeedEvents>(name: K, data: string): void {
  const value = JSON.parse(data) as FeedEvents[K]
  for (const handler of [...handlers[name]]) handler(value)
}
