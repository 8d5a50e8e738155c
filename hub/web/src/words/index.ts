// The words on the screen, in two languages. Keys are checked by the compiler and by tests/e2e/desk/test_words.py.
import { computed, ref } from 'vue'
import type { Names, Why } from '../api/types'
import type { Option } from '../logic/choice'
import { filled, type Values } from '../logic/filled'
import en from './en.json'
import zh from './zh.json'

export type Key = keyof typeof zh
export type Locale = 'zh' | 'en'

const words: Record<Locale, Record<Key, string>> = { zh, en }
const saved = localStorage.getItem('gridhub.locale')
export const locale = ref<Locale>(saved === 'en' ? 'en' : 'zh')

export function setLocale(next: Locale): void {
  locale.value = next
  localStorage.setItem('gridhub.locale', next)
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

/** The words for `key`, with `{name}` and `{name|one|other}` replaced from `values`. */
export function t(key: Key, values: Values = {}): string {
  return filled(words[locale.value][key], values)
}

/** The words for a key made of a prefix and a value from the hub; the value itself where there are none. */
export function tOf(prefix: string, value: string | null | undefined): string {
  if (!value) return '—'
  const key = `${prefix}.${value}`
  return key in zh ? t(key as Key) : value
}

/** All words of a family, to choose from: found in either language. */
export function choicesOf(prefix: string): Option[] {
  const keys = (Object.keys(zh) as Key[]).filter((key) => key.startsWith(`${prefix}.`))
  const options = keys.map((key) => ({ value: key.slice(prefix.length + 1), label: t(key), also: `${zh[key]} ${en[key]}` }))
  return options.sort((a, b) => a.label.localeCompare(b.label, locale.value))
}

/** The words for what a code of the hub says, its blanks filled; empty where there are none. */
export function saysOf(prefix: string, why: Why, more: Values = {}): string {
  const key = `${prefix}.${why.code}`
  return key in zh ? t(key as Key, { ...more, ...why.values }) : ''
}

/** What is said of a camera, in the reader's language where its words are known. */
export function whyOf(device: { message: string | null; why?: Why | null }): string {
  return (device.why && saysOf('why', device.why)) || (device.message ?? '')
}

/** A name that the hub gives in both languages. */
export function nameOf(names: Names | null | undefined): string {
  return names ? names[locale.value] || names.zh : '—'
}

/** A class of the code set in the reader's language. */
export function classOf(category: { name?: string | null; en?: string | null } | null | undefined): string {
  return (locale.value === 'en' && category?.en) || category?.name || ''
}

/** Words of the hub's tables in the reader's language: the Chinese where there is no English for them. */
export const ofTable = (zh: string, en?: string | null): string => (locale.value === 'en' && en) || zh

/** A unit in the reader's language: by its own name where it has no English one. */
export const unitOf = (unit: { name: string; name_en?: string | null } | null | undefined): string => (unit ? ofTable(unit.name, unit.name_en) : '—')

/** What a report says: in both languages, or a text that is the same in both. */
export const saidOf = (said: Names | string): string => (typeof said === 'string' ? said : nameOf(said))

/** Who did something: the hub itself by its name in this language, a person by theirs. */
export const personOf = (id: string, name: string | null | undefined): string => (id === 'system' ? t('person.system') : name || id)

export const isZh = computed(() => locale.value === 'zh')

/** Marks between words as the reader's language sets them: in a list, before an explanation, around an aside. */
export const listed = (parts: string[]): string => parts.join(isZh.value ? '、' : ', ')
export const colon = computed(() => (isZh.value ? '：' : ': '))
export const aside = (words: string): string => (isZh.value ? `（${words}）` : ` (${words})`)
