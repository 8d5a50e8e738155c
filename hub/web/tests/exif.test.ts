// The EXIF block of a photo, made by hand: found, turned upright, put into the smaller picture; where it is stays.
import { describe, expect, it } from 'vitest'
import { exifOf, fitted, upright, withExif } from '../src/logic/exif'

/** A block with orientation, the EXIF directory (width, height) and a GPS directory; II or MM. */
function block(little: boolean, orientation = 6): Uint8Array {
  const made = new Uint8Array(10 + 8 + 2 + 36 + 4 + 2 + 24 + 4 + 2 + 12 + 4)
  const view = new DataView(made.buffer, 10)
  made.set([0xff, 0xe1, 0, made.length - 2, ...[...'Exif\0\0'].map((c) => c.charCodeAt(0))])
  view.setUint16(0, little ? 0x4949 : 0x4d4d)
  view.setUint16(2, 42, little)
  view.setUint32(4, 8, little)
  let at = 8
  const count = (n: number): void => { view.setUint16(at, n, little); at += 2 }
  const entry = (tag: number, type: number, value: number): void => {
    view.setUint16(at, tag, little)
    view.setUint16(at + 2, type, little)
    view.setUint32(at + 4, 1, little)
    if (type === 3) view.setUint16(at + 8, value, little)
    else view.setUint32(at + 8, value, little)
    at += 12
  }
  count(3)
  entry(0x0112, 3, orientation)
  entry(0x8769, 4, 8 + 2 + 36 + 4)
  entry(0x8825, 4, 8 + 2 + 36 + 4 + 2 + 24 + 4)
  at += 4
  count(2)
  entry(0xa002, 4, 4032)
  entry(0xa003, 3, 3024)
  at += 4
  count(1)
  entry(0x0002, 4, 35_730_000) // a latitude, in whatever form
  return made
}
const jpeg = (...segments: Uint8Array[]): Uint8Array => new Uint8Array([0xff, 0xd8, ...segments.flatMap((one) => [...one]), 0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9])
const app0 = new Uint8Array([0xff, 0xe0, 0, 4, 1, 1])

describe('the EXIF block', () => {
  it.each([true, false])('is found, turned upright and put into another picture (little endian: %s)', (little) => {
    const found = exifOf(jpeg(app0, block(little)))
    expect(found).toEqual(block(little))
    const made = upright(found!, 1920, 2560)!
    const view = new DataView(made.buffer, made.byteOffset + 10)
    expect(view.getUint16(8 + 2 + 8, little)).toBe(1) // upright
    expect(view.getUint32(50 + 2 + 8, little)).toBe(1920)
    expect(view.getUint16(50 + 2 + 12 + 8, little)).toBe(2560)
    expect(view.getUint32(80 + 2 + 8, little)).toBe(35_730_000) // where it was taken
    const whole = withExif(jpeg(app0), made)
    expect(exifOf(whole)).toEqual(made)
    expect([...whole.slice(-2)]).toEqual([0xff, 0xd9])
  })
  it('is none where there is none, or the bytes are damaged', () => {
    expect(exifOf(jpeg(app0))).toBeNull()
    expect(exifOf(new Uint8Array([0x89, 0x50, 0x4e, 0x47]))).toBeNull()
    expect(exifOf(jpeg(block(true)).slice(0, 40))).toBeNull()
    expect(exifOf(new Uint8Array([0xff, 0xd8, 0xff, 0xe1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]))).toBeNull()
    for (let length = 10; length < block(true).length; length += 1) expect(() => upright(block(true).slice(0, length), 1, 1)).not.toThrow()
  })
})

describe('a photo', () => {
  it('is made to fit and never made larger', () => {
    expect(fitted(4032, 3024, 2560)).toEqual([2560, 1920])
    expect(fitted(3024, 4032, 2560)).toEqual([1920, 2560])
    expect(fitted(1280, 720, 2560)).toEqual([1280, 720])
    expect(fitted(100_000, 3, 2560)).toEqual([2560, 1])
  })
})
