// The page on a device: its service worker for those who work on the way, and what an upgrade of the hub means for an open page.
import { watch } from 'vue'
import { isDepartment } from './session'

const RELOADED = 'gridhub.reloaded'
const ONCE_MS = 60000

/** Registers the service worker where it is allowed (HTTPS, or this machine) and of use. */
function register(): void {
  if (isDepartment.value && 'serviceWorker' in navigator) navigator.serviceWorker.register('/sw.js').catch(() => undefined)
}

export function followInstalled(): void {
  watch(isDepartment, register, { immediate: true })
  // A part of a screen that is not there any more: the hub was upgraded under the open page. At most once a minute.
  window.addEventListener('vite:preloadError', (event) => {
    if (!navigator.onLine || Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < ONCE_MS) return
    sessionStorage.setItem(RELOADED, String(Date.now()))
    event.preventDefault()
    window.location.reload()
  })
}
