// In which column each cell of a table stands, where cells reach over rows and columns. Pure.
export interface Spans { rowSpan: number; colSpan: number }

/** Of each row's cells their columns, the first is 0. */
export function columnsOf(rows: readonly (readonly Spans[])[]): number[][] {
  const covered: number[] = [] // of each column how many of the next rows a cell from above reaches into
  return rows.map((row) => {
    const free = covered.map((n) => n === 0)
    for (const [column, n] of covered.entries()) covered[column] = Math.max(0, n - 1)
    let column = 0
    return row.map((cell) => {
      while (free[column] === false) column += 1
      const at = column
      for (; column < at + cell.colSpan; column += 1) covered[column] = Math.max(0, cell.rowSpan - 1)
      return at
    })
  })
}
