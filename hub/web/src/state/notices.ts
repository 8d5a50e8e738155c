// Open device notices: cameras in trouble, by what they have in common; kept up to date by the feed.
import { computed, ref } from 'vue'
import { get } from '../api/client'
import { onFeed, onHealed } from '../api/feed'
import type { Notice, Page } from '../api/types'

const known = ref<Map<string, Notice>>(new Map())
export const notices = computed(() => [...known.value.values()].sort((a, b) => b.out - a.out || Date.parse(b.since) - Date.parse(a.since)))

let started = false

export async function loadNotices(): Promise<void> {
  if (!started) {
    started = true
    onFeed('notice', (item) => { if (item.ended_at) known.value.delete(item.id); else known.value.set(item.id, item) })
    onHealed(() => void loadNotices())
  }
  try {
    known.value = new Map((await get<Page<Notice>>('/api/notices')).items.map((item) => [item.id, item]))
  } catch {
    return // the lost connection is shown by the feed; the last notices stay
  }
}

/** Forgets everything: the next person may see none. */
export function forgetNotices(): void {
  known.value = new Map()
}
