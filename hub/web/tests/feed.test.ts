// What the feed tells while a list is on its way: the list may be older.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { closeFeed, onFeed, openFeed, withFeed } from '../src/api/feed'

class Source {
  static last: Source
  static readonly CLOSED = 2
  readyState = 1
  private readonly heard = new Map<string, (event: { data: string }) => void>()
  constructor() {
    Source.last = this
  }
  addEventListener(name: string, handler: (event: { data: string }) => void): void {
    this.heard.set(name, handler)
  }
  close(): void {
    this.readyState = Source.CLOSED
  }
  tell(name: string, value: unknown): void {
    this.heard.get(name)!({ data: JSON.stringify(value) })
  }
}

afterEach(closeFeed)

describe('a list that is asked for', () => {
  it('comes with what was told meanwhile, and with nothing told after it', async () => {
    vi.stubGlobal('EventSource', Source)
    openFeed()
    let answer: (items: string[]) => void = () => undefined
    const asking = withFeed('case', new Promise<string[]>((done) => { answer = done }))
    Source.last.tell('case', { id: 'new' })
    Source.last.tell('alert', { id: 'other' })
    answer(['old'])
    const [items, told] = await asking
    Source.last.tell('case', { id: 'later' })
    expect([items, told]).toEqual([['old'], [{ id: 'new' }]])
  })
  it('listens no longer where it failed', async () => {
    vi.stubGlobal('EventSource', Source)
    openFeed()
    await expect(withFeed('case', Promise.reject(new Error('away')))).rejects.toThrow('away')
    const heard = vi.fn()
    const stop = onFeed('case', heard)
    Source.last.tell('case', { id: 'a' })
    stop()
    expect(heard).toHaveBeenCalledOnce()
  })
})
