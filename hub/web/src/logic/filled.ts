// Words with their blanks filled: `{n}` is the value, `{n|camera|cameras}` the first word where the value is 1. Pure.
export type Values = Record<string, string | number>

export const filled = (words: string, values: Values): string =>
  words.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return one === undefined ? String(value) : String(value) === '1' ? one : other!
  })
