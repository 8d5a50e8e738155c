// Tests of what is pure: no browser, no hub.
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['tests/**/*.test.ts'] } })
