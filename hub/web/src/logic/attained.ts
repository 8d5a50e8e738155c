// How often cameras are looked at, over all of them. Pure.
import type { Camera } from '../api/types'

export interface Attained { n: number; onTime: number; median: number; p95: number; worst: number }

const ON_TIME = 1.2 // a camera is on time while its interval is at most this many times the wanted one

/** Seconds between looks over the cameras that are seen; null before any was seen twice. */
export function attained(cameras: Iterable<Pick<Camera, 'state' | 'attained_s' | 'every_s'>>): Attained | null {
  const all: number[] = []
  let onTime = 0
  for (const camera of cameras) {
    if (camera.attained_s == null || camera.state === 'offline' || camera.state === 'stale') continue
    all.push(camera.attained_s)
    if (camera.attained_s <= ON_TIME * camera.every_s) onTime += 1
  }
  if (!all.length) return null
  all.sort((a, b) => a - b)
  const at = (share: number): number => all[Math.min(all.length - 1, Math.ceil(share * all.length) - 1)]!
  return { n: all.length, onTime: onTime / all.length, median: at(0.5), p95: at(0.95), worst: at(1) }
}

/** "10.2", "124": tenths where they matter. */
export function seconds(value: number): string {
  return value < 100 ? String(Math.round(value * 10) / 10) : String(Math.round(value))
}
