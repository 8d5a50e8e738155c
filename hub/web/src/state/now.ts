// The hub's clock on this screen: `now` in ms, corrected by the hub's own time, and the zone that times are shown in.
import { ref } from 'vue'

export const timeZone = ref('Asia/Shanghai')
export const now = ref(Date.now())
let offsetMs = 0

export function setHubClock(hubNow: string, zone: string): void {
  offsetMs = Date.parse(hubNow) - Date.now()
  timeZone.value = zone
  now.value = Date.now() + offsetMs
}

setInterval(() => {
  now.value = Date.now() + offsetMs
}, 1000)
