// The numbers of the day in the top strip: fetched again when something has moved, at most once a second.
import { computed, ref } from 'vue'
import { get } from '../api/client'
import { onFeed, onHealed } from '../api/feed'
import type { Numbers } from '../api/types'
import { can, isDepartment, session } from './session'

export const numbers = ref<Numbers | null>(null)
export const openCases = computed(() => {
  const cases = numbers.value?.cases ?? {}
  return Object.entries(cases).reduce((sum, [state, n]) => (state === 'closed' || state === 'void' ? sum : sum + (n ?? 0)), 0)
})
/** Those with a fresh picture of what they should show, be it of another size or dated wrongly. */
export const camerasOnline = computed(() => ['online', 'wrong_size', 'clock_wrong'].reduce((sum, state) => sum + (numbers.value?.cameras[state] ?? 0), 0))
export const camerasAll = computed(() => Object.values(numbers.value?.cameras ?? {}).reduce<number>((sum, n) => sum + (n ?? 0), 0))

let planned: ReturnType<typeof setTimeout> | undefined

async function load(): Promise<void> {
  planned = undefined
  if (!session.value || session.value.must_change_password || isDepartment.value || !can('see_numbers')) return
  try {
    numbers.value = await get<Numbers>('/api/numbers')
  } catch {
    return // the lost connection is shown by the feed; the last numbers stay
  }
}

export function refreshNumbers(): void {
  planned ??= setTimeout(() => void load(), 1000)
}

/** Starts following; called once after sign-in. */
export function followNumbers(): void {
  void load()
  for (const name of ['alert', 'case', 'camera', 'cameras'] as const) onFeed(name, refreshNumbers)
  onHealed(refreshNumbers)
  setInterval(refreshNumbers, 30000)
}
