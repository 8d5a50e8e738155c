// Polygons that a person draws on a picture: faults by the numbers of their points (as hub/domain/polygon.py), snapping, moving. Pure.
import type { Point } from '../api/types'

export type Fault =
  | { code: 'few'; n: number } | { code: 'same'; a: number; b: number } | { code: 'crossed'; a: number; b: number; c: number; d: number } | { code: 'flat' }
const LEAST_AREA = 0.0001

export function fault(points: readonly Point[]): Fault | null {
  const n = points.length
  if (n < 3) return { code: 'few', n }
  const at = (i: number): Point => points[i % n]!
  for (let i = 0; i < n; i += 1) if (at(i)[0] === at(i + 1)[0] && at(i)[1] === at(i + 1)[1]) return { code: 'same', a: i + 1, b: ((i + 1) % n) + 1 }
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 2; j < n; j += 1) {
      if (i === 0 && j === n - 1) continue // neighbours share a point
      if (meet(at(i), at(i + 1), at(j), at(j + 1))) return { code: 'crossed', a: i + 1, b: ((i + 1) % n) + 1, c: j + 1, d: ((j + 1) % n) + 1 }
    }
  }
  return Math.abs(area(points)) < LEAST_AREA ? { code: 'flat' } : null
}

/** Of the picture, signed by the direction of drawing. */
export function area(points: readonly Point[]): number {
  return points.reduce((sum, [x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length]!
    return sum + x * ny - nx * y
  }, 0) / 2
}

function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [s1, s2, s3, s4] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)]
  if (s1 * s2 < 0 && s3 * s4 < 0) return true
  return (s1 === 0 && within(c, a, b)) || (s2 === 0 && within(d, a, b)) || (s3 === 0 && within(a, c, d)) || (s4 === 0 && within(b, c, d))
}

function side(a: Point, b: Point, p: Point): number {
  const cross = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
  return Math.abs(cross) < 1e-12 ? 0 : Math.sign(cross)
}

function within(p: Point, a: Point, b: Point): boolean {
  return Math.min(a[0], b[0]) <= p[0] && p[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= p[1] && p[1] <= Math.max(a[1], b[1])
}

const round = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10000) / 10000

/** `p` within the picture, on the border or on the nearest of `targets` where one is nearer than `reach` (shares of width and height). */
export function snapped(p: Point, targets: readonly Point[], reach: Point): Point {
  let best: Point | null = null
  let nearest = 1
  for (const target of targets) {
    const far = Math.hypot((target[0] - p[0]) / reach[0], (target[1] - p[1]) / reach[1])
    if (far < nearest) [best, nearest] = [target, far]
  }
  if (best) return [best[0], best[1]]
  const border = (value: number, within_: number): number => (value < within_ ? 0 : value > 1 - within_ ? 1 : value)
  return [round(border(p[0], reach[0])), round(border(p[1], reach[1]))]
}

/** All points moved by the same step, as far as the picture allows. */
export function moved(points: readonly Point[], dx: number, dy: number): Point[] {
  const limit = (axis: 0 | 1, by: number): number => {
    const values = points.map((p) => p[axis])
    return Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by))
  }
  const [x, y] = [limit(0, dx), limit(1, dy)]
  return points.map((p) => [round(p[0] + x), round(p[1] + y)])
}

export const withPoint = (points: readonly Point[], at: number, p: Point): Point[] => points.map((old, i) => (i === at ? p : old))
export const withoutPoint = (points: readonly Point[], at: number): Point[] => points.filter((_, i) => i !== at)
/** A point between the `after`th and the next one. */
export const inserted = (points: readonly Point[], after: number, p: Point): Point[] => [...points.slice(0, after + 1), p, ...points.slice(after + 1)]
export const middle = (a: Point, b: Point): Point => [round((a[0] + b[0]) / 2), round((a[1] + b[1]) / 2)]
