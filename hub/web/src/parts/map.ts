// What all maps share: the canvas they draw on, the grid layer, optional tiles, and colours taken from the theme.
import L from 'leaflet'
import type { GridCollection } from '../api/types'
import { hub } from '../state/session'

/**
 * Leaflet's canvas with its frames counted right. A redraw at once, as after setView, makes Leaflet forget the number of the
 * frame it had planned: it can then not be called off when the map is taken away, and draws on a canvas that is gone.
 */
class Canvas extends L.Canvas {
  declare _redrawRequest: number | null | undefined

  _redraw(): void {
    if (this._redrawRequest) L.Util.cancelAnimFrame(this._redrawRequest)
    ;(L.Canvas.prototype as unknown as { _redraw: (this: Canvas) => void })._redraw.call(this)
  }
}

/** A map that draws on a canvas, without Leaflet's own controls; `map.remove()` takes it away. */
export function openMap(box: HTMLElement, options: L.MapOptions): L.Map {
  return L.map(box, { attributionControl: false, zoomControl: false, renderer: new Canvas(), ...options })
}

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** The hub's own tile server, when one is configured; the page never reaches for a public one. */
export function addTiles(map: L.Map): void {
  if (hub.value?.tile_url) L.tileLayer(hub.value.tile_url, { maxZoom: 19, opacity: 0.75 }).addTo(map)
}

/** The grids that hold no others, and around them the larger ones as mere outlines. */
function isLeaf(grids: GridCollection): (id: string) => boolean {
  const parents = new Set(grids.features.map((feature) => feature.properties.parent))
  return (id) => !parents.has(id)
}

export function gridLayer(grids: GridCollection, options: { highlighted?: string | null; names?: boolean }): L.GeoJSON {
  const leaf = isLeaf(grids)
  return L.geoJSON(grids as unknown as GeoJSON.FeatureCollection, {
    interactive: false,
    style: (feature) => {
      if (!leaf(String(feature?.properties?.id))) return { color: token('--dim'), weight: 2, opacity: 0.6, fill: false }
      const here = feature?.properties?.id === options.highlighted
      return { color: token('--faint'), weight: here ? 2 : 1, opacity: 0.7, fillColor: token(here ? '--accent' : '--hover'), fillOpacity: here ? 0.14 : 0.5 }
    },
    onEachFeature: (feature, layer) => {
      if (options.names && leaf(String(feature.properties.id))) layer.bindTooltip(String(feature.properties.name), { permanent: true, direction: 'center', className: 'grid-name' })
    },
  })
}
