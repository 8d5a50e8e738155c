// A Leaflet layer that draws thousands of dots on one canvas: clustered anew when the zoom changes, drawn anew with each move.
import L from 'leaflet'
import { clustered, shares, type Cluster, type Dot, type What } from '../logic/cluster'
import type { Severity } from '../logic/severity'
import { token } from './map'

const CELL_PX = 44
const REACH_PX = 6
const RADIUS: Record<What, number> = { camera: 6, sensor: 4.5, case: 11, alert: 9 }
const ORDER: readonly What[] = ['sensor', 'camera', 'case', 'alert']
type Colours = Record<Severity | 'edge' | 'panel' | 'text' | 'accent', string>

export class DotsLayer extends L.Layer {
  private readonly canvas = document.createElement('canvas')
  private readonly tip = L.tooltip({ className: 'plain-tip', direction: 'top', offset: [0, -8] })
  private dots: Dot[] = []
  private clusters: Cluster[] = []
  private zoomed = Number.NaN
  private corner = L.point(0, 0)
  private colours: Colours | null = null
  private planned = 0

  constructor(private readonly onPick: (dots: Dot[]) => void) {
    super()
    this.canvas.className = 'leaflet-zoom-hide dots'
  }

  override onAdd(map: L.Map): this {
    map.getPane('overlayPane')!.append(this.canvas)
    map.on('move zoomend resize', this.draw, this)
    map.on('mousemove', this.hover, this)
    map.on('click', this.click, this)
    this.draw()
    return this
  }

  override onRemove(map: L.Map): this {
    map.off('move zoomend resize', this.draw, this)
    map.off('mousemove', this.hover, this)
    map.off('click', this.click, this)
    cancelAnimationFrame(this.planned)
    this.canvas.remove()
    return this
  }

  /** Other dots from now on; drawn with the next frame, however often this is called until then. */
  show(dots: Dot[]): void {
    this.dots = dots
    this.zoomed = Number.NaN
    this.plan()
  }

  /** The theme has changed. */
  repaint(): void {
    this.colours = null
    this.plan()
  }

  private plan(): void {
    cancelAnimationFrame(this.planned)
    this.planned = requestAnimationFrame(() => this.draw())
  }

  private draw(): void {
    const map = this._map
    if (!map) return
    const zoom = map.getZoom()
    if (zoom !== this.zoomed) {
      this.clusters = clustered(this.dots.map((dot) => ({ ...map.project([dot.lat, dot.lon], zoom), dot })), zoom >= map.getMaxZoom() - 1 ? 2 : CELL_PX)
        .sort((a, b) => ORDER.indexOf(a.what) - ORDER.indexOf(b.what))
      this.zoomed = zoom
    }
    const size = map.getSize()
    const scale = window.devicePixelRatio || 1
    this.corner = map.getPixelBounds().min!
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]))
    if (this.canvas.width !== Math.round(size.x * scale) || this.canvas.height !== Math.round(size.y * scale)) {
      this.canvas.width = Math.round(size.x * scale)
      this.canvas.height = Math.round(size.y * scale)
      this.canvas.style.width = `${size.x}px`
      this.canvas.style.height = `${size.y}px`
    }
    const pen = this.canvas.getContext('2d')!
    pen.setTransform(scale, 0, 0, scale, 0, 0)
    pen.clearRect(0, 0, size.x, size.y)
    this.colours ??= readColours()
    let bubbles = 0
    for (const cluster of this.clusters) {
      const x = cluster.x - this.corner.x
      const y = cluster.y - this.corner.y
      if (x < -40 || y < -40 || x > size.x + 40 || y > size.y + 40) continue
      if (cluster.dots.length === 1) drawDot(pen, x, y, cluster.dots[0]!, this.colours)
      else drawBubble(pen, x, y, cluster, this.colours)
      bubbles += cluster.dots.length > 1 ? 1 : 0
    }
    this.canvas.dataset.dots = String(this.dots.length)
    this.canvas.dataset.bubbles = String(bubbles)
  }

  private at(point: L.Point): Cluster | null {
    const map = this._map
    if (!map) return null
    const there = map.getPixelBounds().min!.add(point)
    let best: Cluster | null = null
    let least = Infinity
    for (const cluster of this.clusters) {
      const away = Math.hypot(cluster.x - there.x, cluster.y - there.y)
      if (away <= radiusOf(cluster) + REACH_PX && away <= least) [best, least] = [cluster, away]
    }
    return best
  }

  private hover(event: L.LeafletMouseEvent): void {
    const map = this._map
    const found = this.at(event.containerPoint)
    this.canvas.parentElement?.parentElement?.parentElement?.classList.toggle('over-dot', found !== null)
    if (!found || !map) {
      this.tip.remove()
      return
    }
    const words = found.dots.length === 1 ? found.dots[0]!.tip : found.dots.slice(0, 4).map((dot) => dot.tip).join('\n') + (found.dots.length > 4 ? '\n…' : '')
    const said = document.createElement('span')
    said.style.whiteSpace = 'pre-line'
    said.textContent = words
    this.tip.setLatLng(map.unproject([found.x, found.y], this.zoomed)).setContent(said)
    if (!map.hasLayer(this.tip)) this.tip.addTo(map)
  }

  private click(event: L.LeafletMouseEvent): void {
    const found = this.at(event.containerPoint)
    if (found) this.onPick(found.dots)
  }
}

function radiusOf(cluster: Cluster): number {
  return cluster.dots.length === 1 ? RADIUS[cluster.what] : 12 + Math.min(10, Math.log2(cluster.dots.length) * 1.4)
}

function readColours(): Colours {
  return {
    none: token('--accent'), grey: token('--grey'), amber: token('--amber'), red: token('--red'), edge: token('--ground'), panel: token('--panel'),
    text: token('--text'), accent: token('--accent'),
  }
}

function circle(pen: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  pen.beginPath()
  pen.arc(x, y, radius, 0, 2 * Math.PI)
}

function drawDot(pen: CanvasRenderingContext2D, x: number, y: number, dot: Dot, colours: Colours): void {
  circle(pen, x, y, RADIUS[dot.what])
  pen.setLineDash(dot.what === 'alert' ? [3, 3] : [])
  pen.globalAlpha = dot.what === 'case' ? 0.25 : dot.what === 'alert' ? 0.35 : 1
  pen.fillStyle = dot.what === 'camera' ? colours[dot.severity] : dot.what === 'alert' ? colours.accent : colours.panel
  pen.fill()
  pen.globalAlpha = 1
  pen.lineWidth = dot.what === 'case' ? 3 : dot.what === 'camera' ? 1.5 : 2
  pen.strokeStyle = dot.what === 'camera' ? colours.edge : dot.what === 'alert' ? colours.text : colours[dot.severity]
  pen.stroke()
  pen.setLineDash([])
}

/** A number in a ring whose arcs show how many are in which state. */
function drawBubble(pen: CanvasRenderingContext2D, x: number, y: number, cluster: Cluster, colours: Colours): void {
  const radius = radiusOf(cluster)
  circle(pen, x, y, radius)
  pen.fillStyle = colours.panel
  pen.fill()
  pen.lineWidth = cluster.what === 'camera' ? 4 : cluster.what === 'sensor' ? 1.5 : 3
  pen.setLineDash(cluster.what === 'alert' ? [3, 3] : [])
  let from = -Math.PI / 2
  for (const [severity, n] of shares(cluster.dots)) {
    const to = from + (2 * Math.PI * n) / cluster.dots.length
    pen.beginPath()
    pen.arc(x, y, radius - 2, from, to)
    pen.strokeStyle = cluster.what === 'alert' ? colours.text : colours[severity]
    pen.stroke()
    from = to
  }
  pen.setLineDash([])
  pen.fillStyle = colours.text
  pen.font = '600 12px system-ui, sans-serif'
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(String(cluster.dots.length), x, y + 0.5)
}
