// What both maps share: the grid layer, optional tiles, and colours taken from the theme.
import L from 'leaflet'
import type { GridCollection } from '../api/types'
import { hub } from '../state/session'

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

/** Take a map away. What is drawn goes first: Leaflet's canvas would be asked to draw once more when it is gone. */
export function closeMap(map: L.Map): void {
  map.eachLayer((layer) => { if (!(layer instanceof L.Renderer)) layer.remove() })
  map.remove()
}
