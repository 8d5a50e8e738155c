// Of several answers on their way only the one to the newest question counts: they need not come in the order they were asked for. Pure.

/** Takes the answers of one place of a screen. Gives null where another was asked for meanwhile; a failure that came too late is none. */
export function newest(): <T>(answer: Promise<T>) => Promise<T | null> {
  let turn = 0
  return async <T>(answer: Promise<T>): Promise<T | null> => {
    const mine = ++turn
    try {
      const come = await answer
      return mine === turn ? come : null
    } catch (error) {
      if (mine === turn) throw error
      return null
    }
  }
}
