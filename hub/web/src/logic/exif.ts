// The EXIF block of a JPEG: found, made true of a picture whose pixels were turned and scaled, and put into another. Pure.
// CIPA DC-008 (Exif 2.32): an APP1 segment "Exif\0\0", then a TIFF header with its own byte order, and directories.

const ORIENTATION = 0x0112, EXIF_DIRECTORY = 0x8769, WIDTH = 0xa002, HEIGHT = 0xa003
const SHORT = 3, LONG = 4
const HEAD = 10 // marker, length, "Exif\0\0"

/** The whole APP1 segment with its marker; null where there is none, or the file is no JPEG. */
export function exifOf(jpeg: Uint8Array): Uint8Array | null {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return null
  for (let at = 2; at + HEAD <= jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1]!
    if (marker === 0xda) return null // the picture itself begins
    const length = (jpeg[at + 2]! << 8) | jpeg[at + 3]!
    if (length < 2 || at + 2 + length > jpeg.length) return null
    if (marker === 0xe1 && String.fromCharCode(...jpeg.subarray(at + 4, at + 10)) === 'Exif\0\0') return jpeg.slice(at, at + 2 + length)
    at += 2 + length
  }
  return null
}

/** The same block for a picture that stands upright and is `width` x `height` px; null where it cannot be read. */
export function upright(exif: Uint8Array, width: number, height: number): Uint8Array | null {
  const made = exif.slice()
  const view = new DataView(made.buffer, made.byteOffset + HEAD, made.byteLength - HEAD)
  if (view.byteLength < 8) return null
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return null
  const little = order === 0x4949

  function set(directory: number, values: Record<number, number>): number {
    if (directory < 8 || directory + 2 > view.byteLength) return 0
    const entries = view.getUint16(directory, little)
    if (directory + 2 + 12 * entries > view.byteLength) return 0
    let deeper = 0
    for (let n = 0; n < entries; n += 1) {
      const entry = directory + 2 + 12 * n
      const tag = view.getUint16(entry, little), type = view.getUint16(entry + 2, little)
      if (tag === EXIF_DIRECTORY) deeper = view.getUint32(entry + 8, little)
      const value = values[tag]
      if (value === undefined) continue
      if (type === SHORT) view.setUint16(entry + 8, value, little)
      else if (type === LONG) view.setUint32(entry + 8, value, little)
    }
    return deeper
  }
  const deeper = set(view.getUint32(4, little), { [ORIENTATION]: 1 })
  if (deeper) set(deeper, { [WIDTH]: width, [HEIGHT]: height })
  return made
}

/** The JPEG with that block right after its beginning, where readers look for it. */
export function withExif(jpeg: Uint8Array, exif: Uint8Array): Uint8Array {
  const made = new Uint8Array(jpeg.length + exif.length)
  made.set(jpeg.subarray(0, 2))
  made.set(exif, 2)
  made.set(jpeg.subarray(2), 2 + exif.length)
  return made
}

/** `width` x `height` made to fit: the longer side at most `longest`, never larger than it was. */
export function fitted(width: number, height: number, longest: number): [number, number] {
  const scale = Math.min(1, longest / Math.max(width, height))
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
}
