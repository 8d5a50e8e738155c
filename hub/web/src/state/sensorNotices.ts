// Open notices about sensors, and how many devices wait in quarantine; kept up to date by the feed.
import { computed, ref } from 'vue'
import { get } from '../api/client'
import type { SensorNotice } from '../api/devices'
import { onFeed, onHealed } from '../api/feed'
import type { Page } from '../api/types'

const known = ref<Map<string, SensorNotice>>(new Map())
export const sensorNotices = computed(() => [...known.value.values()].sort((a, b) => b.children.length - a.children.length || Date.parse(b.since) - Date.parse(a.since)))
export const waiting = ref(0)

let started = false

export async function loadSensorNotices(): Promise<void> {
  if (!started) {
    started = true
    onFeed('sensor_notice', (item) => { if (item.ended_at) known.value.delete(item.id); else known.value.set(item.id, item) })
    onFeed('quarantine', (item) => { waiting.value = item.waiting })
    onHealed(() => void loadSensorNotices())
  }
  try {
    const [notices, strangers] = await Promise.all([get<Page<SensorNotice>>('/api/sensor-notices'), get<Page<unknown>>('/api/quarantine?limit=1')])
    known.value = new Map(notices.items.map((item) => [item.id, item]))
    waiting.value = strangers.total
  } catch {
    return // the lost connection is shown by the feed; the last notices stay
  }
}

/** Forgets everything: the next person may see none. */
export function forgetSensorNotices(): void {
  known.value = new Map()
  waiting.value = 0
}
