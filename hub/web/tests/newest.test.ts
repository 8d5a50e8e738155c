// Answers that come in another order than they were asked for.
import { describe, expect, it } from 'vitest'
import { newest } from '../src/logic/newest'

interface Held { answer: Promise<string>; come: (what: string) => void; fail: (why: Error) => void }
function held(): Held {
  let come: (what: string) => void = () => undefined
  let fail: (why: Error) => void = () => undefined
  const answer = new Promise<string>((done, failed) => { come = done; fail = failed })
  return { answer, come, fail }
}

describe('of several answers on their way', () => {
  it('the one to the newest question counts, whenever it comes', async () => {
    const asking = newest()
    const [first, second] = [held(), held()]
    const answers = [asking(first.answer), asking(second.answer)]
    second.come('second')
    first.come('first')
    expect(await Promise.all(answers)).toEqual([null, 'second'])
    expect(await asking(Promise.resolve('third'))).toBe('third')
  })
  it('a failure counts like an answer: the newest is told, an older one concerns nobody', async () => {
    const asking = newest()
    const [first, second] = [held(), held()]
    const answers = [asking(first.answer), asking(second.answer)]
    first.fail(new Error('first'))
    expect(await answers[0]).toBeNull()
    second.fail(new Error('second'))
    await expect(answers[1]).rejects.toThrow('second')
  })
  it('two places of a screen do not know of each other', async () => {
    const [here, there] = [newest(), newest()]
    const slow = held()
    const answer = here(slow.answer)
    await there(Promise.resolve('there'))
    slow.come('here')
    expect(await answer).toBe('here')
  })
})
