// Wide tables on a narrow screen: `v-cards` lets each row stand as a card whose values carry their column's name.
import type { ObjectDirective } from 'vue'
import { columnsOf } from '../logic/columns'

/** A column's name; none where only screen readers are told it. */
const nameOf = (heading: HTMLTableCellElement): string => (heading.querySelector('.visually-hidden') ? '' : heading.textContent?.trim() ?? '')

/** Writes the columns' names beside the values, where theme/base.css shows them; the first column is the card's title. */
function label(table: HTMLTableElement): void {
  const names = [...(table.tHead?.rows[0]?.cells ?? [])].map(nameOf)
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]).map((row) => [...row.cells])
  for (const [y, columns] of columnsOf(rows).entries()) {
    for (const [n, column] of columns.entries()) {
      const cell = rows[y]![n]!
      const shown = column === 0 || cell.colSpan > 1 ? '' : (names[column] ?? '')
      if (cell.dataset.label !== shown) cell.dataset.label = shown
      cell.classList.toggle('title', column === 0)
    }
  }
}

export const cards: ObjectDirective<HTMLTableElement> = {
  mounted(table) {
    table.classList.add('cards')
    label(table)
  },
  updated(table) {
    table.classList.add('cards')
    label(table)
  },
}

declare module 'vue' {
  interface GlobalDirectives { vCards: typeof cards }
}
