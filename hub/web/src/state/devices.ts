// Cameras, sensors, grids and departments: fetched when first needed, then kept up to date by the feed.
import { ref, shallowRef, triggerRef } from 'vue'
import { all, ApiError, get } from '../api/client'
import { onFeed, onHealed } from '../api/feed'
import type { Camera, Department, GridCollection, Kind, Looks, Names, Page, Sensor } from '../api/types'

export const cameras = shallowRef<Map<string, Camera>>(new Map())
export const sensors = shallowRef<Map<string, Sensor>>(new Map())
export const grids = shallowRef<GridCollection | null>(null)
export const departments = shallowRef<Department[]>([])
export const kinds = shallowRef<Map<string, Names>>(new Map())
export const devicesLoaded = ref(false)
export const devicesFailure = ref<string | null>(null)

let started = false
let planned = false

/** Cameras and sensors; follows the feed from the first call on. */
export async function loadDevices(): Promise<void> {
  if (!started) follow()
  started = true
  try {
    const [eyes, ears] = await Promise.all([all<Camera>('/api/cameras?limit=500'), all<Sensor>('/api/sensors?limit=500')])
    cameras.value = new Map(eyes.items.map((item) => [item.id, item]))
    sensors.value = new Map(ears.items.map((item) => [item.id, item]))
    devicesLoaded.value = true
    devicesFailure.value = null
  } catch (error) {
    devicesFailure.value = error instanceof ApiError ? error.message : String(error)
  }
}

export async function loadGrids(): Promise<void> {
  grids.value ??= await get<GridCollection>('/api/grids')
}

export async function loadDepartments(): Promise<void> {
  if (departments.value.length) return
  const answer = await get<Page<Department> | Department[]>('/api/departments')
  departments.value = Array.isArray(answer) ? answer : answer.items
}

export async function loadKinds(): Promise<void> {
  if (kinds.value.size) return
  const answer = await get<Page<Kind> | Kind[]>('/api/kinds')
  kinds.value = new Map((Array.isArray(answer) ? answer : answer.items).map((kind) => [kind.id, kind.name]))
}

/** Forgets everything: the next person may see other devices. */
export function forgetDevices(): void {
  cameras.value = new Map()
  sensors.value = new Map()
  departments.value = []
  devicesLoaded.value = false
}

function follow(): void {
  onFeed('camera', (item) => merge(cameras.value, item))
  onFeed('cameras', ({ items }) => items.forEach(changed))
  onFeed('looks', looked)
  onFeed('sensor', (item) => merge(sensors.value, item))
  onHealed(() => void loadDevices())
}

function changed(item: Partial<Camera> & { id: string }): void {
  const known = cameras.value.get(item.id)
  if (known) merge(cameras.value, { ...known, ...item })
}

function looked(looks: Looks): void {
  const at = Date.parse(looks.at)
  looks.ids.forEach((id, i) => changed({ id, last_look_at: new Date(at - looks.ago_ms[i]!).toISOString(), attained_s: looks.attained_s[i] ?? null }))
}

/** Many events a second become one change of the screen a second. */
function merge<T extends { id: string }>(map: Map<string, T>, item: T): void {
  const known = map.get(item.id)
  map.set(item.id, known ? { ...known, ...item } : item)
  if (planned) return
  planned = true
  setTimeout(() => {
    planned = false
    triggerRef(cameras)
    triggerRef(sensors)
  }, 1000)
}
