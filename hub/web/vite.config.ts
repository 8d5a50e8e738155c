// How the page is built, and where `npm run dev` finds the hub (GRIDHUB_URL).
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const hub = process.env.GRIDHUB_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 700, assetsInlineLimit: 2048 },
  server: { host: '127.0.0.1', proxy: { '/api': { target: hub, changeOrigin: false } } },
})
