// A photo made small enough for a weak network before it is kept or sent: scaled, upright, its EXIF block taken along.
import { exifOf, fitted, upright, withExif } from '../logic/exif'

export const LONGEST_PX = 2560
const QUALITY = 0.85
const SMALL_BYTES = 1_500_000

/** As it is where it is small already, no picture that this browser reads, or would not become smaller. */
export async function shrunk(file: File): Promise<File> {
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return file // the hub says what is wrong with it
  }
  try {
    const [width, height] = fitted(picture.width, picture.height, LONGEST_PX)
    if (width === picture.width && file.size <= SMALL_BYTES) return file
    const canvas = document.createElement('canvas')
    canvas.width = width
    canvas.height = height
    const drawing = canvas.getContext('2d')
    if (!drawing) return file
    drawing.imageSmoothingQuality = 'high'
    drawing.drawImage(picture, 0, 0, width, height)
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY))
    if (!blob || (width === picture.width && blob.size >= file.size)) return file
    const exif = exifOf(new Uint8Array(await file.slice(0, 256 * 1024).arrayBuffer()))
    const kept = exif && upright(exif, width, height)
    const bytes = kept ? withExif(new Uint8Array(await blob.arrayBuffer()), kept) : null
    return new File([bytes ? new Uint8Array(bytes) : blob], `${file.name.replace(/\.[^.]*$/, '')}.jpg`, { type: 'image/jpeg', lastModified: file.lastModified })
  } finally {
    picture.close()
  }
}
/** One after the other: a phone's memory holds few pictures at once. */
export async function allShrunk(files: Iterable<File>): Promise<File[]> {
  const made: File[] = []
  for (const file of files) made.push(await shrunk(file))
  return made
}
