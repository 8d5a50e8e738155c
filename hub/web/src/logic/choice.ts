// What a choice offers for what was typed: by the name that is shown, the one in the other language, or the code. Pure.

/** `also`: what else it is found by, as its other names and its number. */
export interface Option { value: string; label: string; also?: string }

export function matching(options: Option[], typed: string): Option[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return options
  return options.filter((one) => {
    const text = `${one.label} ${one.value} ${one.also ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
