/** Makes a picture fit the size that the server takes; the work of the browser's own decoder and encoder. */
import { fitted } from "#/lib/geometry.ts";

export const MOST_BYTES = 6_000_000;
const SIDES_PX = [4096, 3072, 2048];
const QUALITY = 0.92;

/** Return the picture, or a JPEG of it with smaller sides where it is too large; what cannot be decoded stays as it is. */
export async function fitting<Picture extends Blob>(picture: Picture): Promise<Picture | Blob> {
  if (picture.size <= MOST_BYTES) return picture;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture, { imageOrientation: "from-image" });
  } catch {
    return picture; // the server says best what is wrong with it
  }
  for (const side of SIDES_PX) {
    const canvas = new OffscreenCanvas(...fitted(bitmap.width, bitmap.height, side));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    if (blob.size <= MOST_BYTES) return blob;
  }
  return picture;
}
