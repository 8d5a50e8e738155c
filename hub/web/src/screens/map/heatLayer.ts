// Areas coloured by how many cases they had: one hue, darker for more; hovering says how many, a click opens the list.
import L from 'leaflet'
import type { GridCollection } from '../../api/types'
import { opacityOf, stepOf, type AreaCount } from '../../logic/heat'
import { token } from '../../parts/map'
import { t } from '../../words'

/** What was counted: of which level, with the list's own filter. */
export interface Heat { level: string; counts: Map<string, AreaCount>; steps: number[]; query: Record<string, string> }

export function heatLayer(grids: GridCollection, heat: Heat, onOpen: (id: string) => void): L.GeoJSON {
  return L.geoJSON(grids as unknown as GeoJSON.FeatureCollection, {
    filter: (feature) => feature.properties?.level === heat.level,
    style: (feature) => {
      const n = heat.counts.get(String(feature?.properties?.id))?.cases ?? 0
      return { color: token('--faint'), weight: 1, opacity: 0.7, fillColor: token('--accent'), fillOpacity: opacityOf(stepOf(n, heat.steps), heat.steps.length) }
    },
    onEachFeature: (feature, layer) => {
      const id = String(feature.properties.id)
      const n = heat.counts.get(id)
      layer.bindTooltip(`${feature.properties.name} · ${t('heat.cases', { n: n?.cases ?? 0, open: n?.open ?? 0 })}`, { className: 'plain-tip', sticky: true })
      if (n) layer.on('click', () => onOpen(id))
    },
  })
}
