// The service worker: keeps the page's own files on the device, so that a department's inbox opens in a tunnel.
// It never touches /api: what the hub says is shown as of when it was said, by the page itself (src/state/seen.ts).
// FILES and VERSION are filled in by vite.config.ts when the page is built. A new version waits until the last page of the
// old one is closed, so that no page loses files that it may still ask for.
const CACHE = 'gridhub-__VERSION__'
const FILES = __FILES__

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: 'reload' })))))
})

self.addEventListener('activate', (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) if (name.startsWith('gridhub-') && name !== CACHE) await caches.delete(name)
    await self.clients.claim()
  }
  event.waitUntil(forget())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (request.mode === 'navigate') {
    // The newest page where there is a connection; the kept one where there is none.
    if (!url.pathname.startsWith('/api/')) event.respondWith(fetch(request).catch(() => kept('/')))
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(url.pathname.startsWith('/assets/') ? kept(request).then((file) => file ?? fetch(request)) : fetch(request).catch(() => kept(request)))
  }
})

async function kept(request) {
  const cache = await caches.open(CACHE)
  return (await cache.match(request)) ?? (request === '/' ? Response.error() : undefined)
}
