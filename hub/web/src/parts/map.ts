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

export function gridLayer(grids: GridCollection, options: { highlighted?: string | null; names?: boolean }): L.GeoJSON {
  return L.geoJSON(grids as unknown as GeoJSON.FeatureCollection, {
    interactive: false,
    style: (feature) => {
      const here = feature?.properties?.id === options.highlighted
      return { color: token('--faint'), weight: here ? 2 : 1, opacity: 0.7, fillColor: token(here ? '--accent' : '--hover'), fillOpacity: here ? 0.14 : 0.5 }
    },
    onEachFeature: (feature, layer) => {
      if (options.names) layer.bindTooltip(String(feature.properties.name), { permanent: true, direction: 'center', className: 'grid-name' })
    },
  })
}
