// Sending something to the hub from a form: busy while it is on its way; what went wrong is told, by whoever shows it.
import { ref, type Ref } from 'vue'
import { ApiError } from '../api/client'
import { ElMessage } from '../element'
import { t } from '../words'

/** What to show a person of an error of the hub; others are thrown on. */
export function said(error: unknown): string {
  if (!(error instanceof ApiError)) throw error
  return error.status === 0 ? t('connection.unreachable') : error.message
}

/** `sending(work)` tells whether it succeeded. Failures stand in `failure`; with `toast` they are a message as well. */
export function useSending(toast = true): { busy: Ref<boolean>; failure: Ref<string>; sending: (work: () => Promise<unknown>) => Promise<boolean> } {
  const busy = ref(false)
  const failure = ref('')
  async function sending(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true
    failure.value = ''
    try {
      await work()
      return true
    } catch (error) {
      failure.value = said(error)
      if (toast) ElMessage.error(failure.value)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, failure, sending }
}
