// What calls a person to the desk when an alert comes: a sound, a notification of the browser, each by choice.
import { ref } from 'vue'
import type { Alert } from '../api/types'
import { nameOf, t } from '../words'

const SOUND = 'gridhub.sound'
const NOTIFY = 'gridhub.notify'
const QUIET_MS = 1500 // a burst of alerts rings once
export const sound = ref(localStorage.getItem(SOUND) === '1')
export const notify = ref(localStorage.getItem(NOTIFY) === '1' && 'Notification' in window && Notification.permission === 'granted')

let context: AudioContext | null = null
let rangAt = 0

export function setSound(on: boolean): void {
  sound.value = on
  localStorage.setItem(SOUND, on ? '1' : '0')
  if (on) beep(false)
}

/** False when the browser does not allow it. */
export async function setNotify(on: boolean): Promise<boolean> {
  const may = !on || ('Notification' in window && (await Notification.requestPermission()) === 'granted')
  notify.value = on && may
  localStorage.setItem(NOTIFY, notify.value ? '1' : '0')
  return may
}

/** A new alert is there. */
export function ring(alert: Alert): void {
  if (Date.now() - rangAt < QUIET_MS) return
  rangAt = Date.now()
  if (sound.value) beep(alert.urgent)
  if (notify.value && document.hidden) new Notification(t('alarm.new', { kind: nameOf(alert.kind_name) }), { body: alert.address || alert.source_name, tag: 'gridhub-alert' })
}

/** Two soft tones; three higher ones for what is urgent. No file is fetched for it. */
function beep(urgent: boolean): void {
  context ??= new AudioContext()
  const tones = urgent ? [880, 988, 1175] : [660, 784]
  tones.forEach((frequency, i) => {
    const at = context!.currentTime + i * 0.16
    const tone = new OscillatorNode(context!, { type: 'sine', frequency })
    const gain = new GainNode(context!, { gain: 0 })
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(0.15, at + 0.02)
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.15)
    tone.connect(gain).connect(context!.destination)
    tone.start(at)
    tone.stop(at + 0.16)
  })
}
