/** Makes a picture fit the size that the server takes; the work of the browser's own decoder and encoder. */

export const MOST_BYTES = 6_000_000;
const SIDES_PX = [4096, 3072, 2048];
const QUALITY = 0.92;

/** Return the file, or a JPEG of it with smaller sides where it is too large; what cannot be decoded stays as it is. */
export async function fitting(file: File): Promise<File> {
  if (file.size <= MOST_BYTES) return file;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file; // the server says best what is wrong with it
  }
  for (const side of SIDES_PX) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    if (blob.size <= MOST_BYTES) return new File([blob], file.name, { type: "image/jpeg" });
  }
  return file;
}
