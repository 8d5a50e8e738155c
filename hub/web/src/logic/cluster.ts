// Dots that lie too near to each other become one bubble with a number. Pure: pixels in, clusters out.
import type { Severity } from './severity'

export type What = 'camera' | 'sensor' | 'alert' | 'case'
/** Something with a place; `tip` is what hovering says. */
export interface Dot { id: string; what: What; lat: number; lon: number; severity: Severity; tip: string }
export interface Placed { x: number; y: number; dot: Dot }
/** `dots` holds one, or all that became a bubble; `x`, `y` is their middle. */
export interface Cluster { x: number; y: number; what: What; dots: Dot[] }

/** By cells of `cell` pixels, each kind of thing by itself; a cell of less than `least` dots stays apart. */
export function clustered(placed: readonly Placed[], cell: number, least = 3): Cluster[] {
  const cells = new Map<string, Placed[]>()
  for (const one of placed) {
    const key = `${one.dot.what}/${Math.floor(one.x / cell)}/${Math.floor(one.y / cell)}`
    const there = cells.get(key)
    if (there) there.push(one)
    else cells.set(key, [one])
  }
  const found: Cluster[] = []
  for (const members of cells.values()) {
    const first = members[0]!
    if (members.length < least) for (const one of members) found.push({ x: one.x, y: one.y, what: one.dot.what, dots: [one.dot] })
    else {
      const mean = (value: (one: Placed) => number): number => members.reduce((sum, one) => sum + value(one), 0) / members.length
      found.push({ x: mean((one) => one.x), y: mean((one) => one.y), what: first.dot.what, dots: members.map((one) => one.dot) })
    }
  }
  return found
}

/** How many of each severity, none first: the ring around a bubble. */
export function shares(dots: readonly Dot[]): [Severity, number][] {
  const counts: Record<Severity, number> = { none: 0, grey: 0, amber: 0, red: 0 }
  for (const dot of dots) counts[dot.severity] += 1
  return (Object.entries(counts) as [Severity, number][]).filter(([, n]) => n > 0)
}
