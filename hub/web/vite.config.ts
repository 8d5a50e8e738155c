// How the page is built, with its service worker, and where `npm run dev` finds the hub (GRIDHUB_URL).
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const hub = process.env.GRIDHUB_URL ?? 'http://127.0.0.1:8080'
/** Screens that open without a connection; what the others need is not kept on phones. */
const OFFLINE = ['src/screens/cases/', 'src/screens/SignIn.vue', 'src/screens/PasswordChange.vue']

/** Fills worker.js with the names of the files that it keeps. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = new Set(['/', '/manifest.json', '/favicon.svg'])
      const take = (name: string): void => {
        const chunk = bundle[name]
        if (files.has(`/${name}`) || chunk?.type !== 'chunk') return
        files.add(`/${name}`)
        for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(`/${style}`)
        for (const other of chunk.imports) take(other)
      }
      for (const [name, chunk] of Object.entries(bundle)) {
        if (chunk.type !== 'chunk') continue
        const of = chunk.facadeModuleId ?? ''
        if (chunk.isEntry || OFFLINE.some((folder) => of.includes(folder))) take(name)
      }
      const list = JSON.stringify([...files].sort())
      const template = readFileSync(new URL('worker.js', import.meta.url), 'utf-8')
      const version = createHash('sha256').update(list + template).digest('hex').slice(0, 12)
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: template.replace('__VERSION__', version).replace('__FILES__', list) })
    },
  }
}

export default defineConfig({
  plugins: [vue(), serviceWorker()],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 700, assetsInlineLimit: 2048 },
  server: { host: '127.0.0.1', proxy: { '/api': { target: hub, changeOrigin: false } } },
})
