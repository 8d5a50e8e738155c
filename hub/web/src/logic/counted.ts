// The hub counts lists up to ten thousand: a total that reaches it means "so many or more". Pure.
const MOST = 10000

export const counted = (total: number): string => (total >= MOST ? `${MOST.toLocaleString('en-US')}+` : String(total))
