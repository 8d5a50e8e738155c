// Wide tables on a narrow screen: `v-cards` lets each row stand as a card whose values carry their column's name.
import type { ObjectDirective } from 'vue'

/** A column's name; none where only screen readers are told it. */
const nameOf = (heading: HTMLTableCellElement): string => (heading.querySelector('.visually-hidden') ? '' : heading.textContent?.trim() ?? '')

/** Writes the columns' names beside the values, where theme/base.css shows them; the first column is the card's title. */
function label(table: HTMLTableElement): void {
  const names = [...(table.tHead?.rows[0]?.cells ?? [])].map(nameOf)
  for (const row of [...table.tBodies].flatMap((body) => [...body.rows])) {
    // Less than all columns: the first cell is that of a row above.
    let column = names.length - [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0)
    for (const cell of row.cells) {
      const shown = column === 0 || cell.colSpan > 1 ? '' : (names[column] ?? '')
      if (cell.dataset.label !== shown) cell.dataset.label = shown
      cell.classList.toggle('title', column === 0)
      column += cell.colSpan
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
