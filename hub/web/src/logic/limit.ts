// A case's time limit ("4工作时", "2紧急工作时", "1工作日") in the words of the screen's language. Pure.
const UNITS: Record<string, [one: string, many: string]> = {
  工作时: ['working hour', 'working hours'], 紧急工作时: ['urgent hour', 'urgent hours'], 紧急工作日: ['urgent day', 'urgent days'], 工作日: ['working day', 'working days'],
  小时: ['hour', 'hours'], 天: ['day', 'days'], 日: ['day', 'days'],
}

export function limitWords(limit: string, locale: 'zh' | 'en'): string {
  const urgent = /^(0\.\d+)紧急工作时$/.exec(limit.trim())
  // Stages of a quarter or half an hour read better in minutes.
  if (urgent) return locale === 'zh' ? `${Number(urgent[1]) * 60} 分钟` : `${Number(urgent[1]) * 60} min`
  const parts = /^(\d+(?:\.\d+)?)\s*(\D+)$/.exec(limit.trim())
  const unit = parts && UNITS[parts[2]!]
  if (!parts || !unit || locale === 'zh') return limit
  return `${parts[1]} ${unit[parts[1] === '1' ? 0 : 1]}`
}
