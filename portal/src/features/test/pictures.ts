/** Pictures to test: from files, the clipboard, the camera or the web, made smaller where they are too large to send. */
import { near } from "#/api/client.ts";
import {
  deletePredictions,
  queryPredictions,
  quickTest,
  quickTestUrlStored,
  quickTestWithUnknown,
} from "#/api/predictions.ts";
import type { Prediction } from "#/api/types.ts";
import { bytes } from "#/lib/format.ts";
import { fitting, MOST_BYTES } from "#/lib/shrink.ts";
import { text } from "#/text/index.ts";

const QUALITY = 0.92;

/** A picture under test, as this page holds it. */
export interface Picture {
  id: string;
  name: string;
  blob: Blob;
  /** An address for showing it; goes with the page. */
  shown: string;
  width: number;
  height: number;
  /** Whether the browser can show it. */
  visible: boolean;
  note: string;
}

export interface Answer {
  predictions: Prediction[];
  unknown: number | null;
  isUnknown: boolean;
  seconds: number;
}

let made = 0;

/** Take up a picture. One that is too large is drawn anew, smaller. */
export async function taken(name: string, given: Blob): Promise<Picture> {
  const drawn = await createImageBitmap(given).catch(() => null);
  if (!drawn && given.size > MOST_BYTES) throw new Error(text.test.notPicture(name));
  const blob = await fitting(given);
  const note = blob === given ? "" : text.test.shrunk(bytes(given.size), bytes(blob.size));
  const { width, height } = drawn ?? { width: 4, height: 3 };
  drawn?.close();
  made += 1;
  return { id: `${made}`, name, blob, shown: URL.createObjectURL(blob), width, height, visible: drawn !== null, note };
}

/** What is drawn, as a photo. */
export function blobOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(text.common.failed))), "image/jpeg", QUALITY);
  });
}

export async function answered(project: string, iteration: string, blob: Blob, detects: boolean): Promise<Answer> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  if (detects) {
    const { predictions } = await quickTest(project, iteration, blob);
    return { predictions, unknown: null, isUnknown: false, seconds: seconds() };
  }
  const { predictions, unknown, isUnknown } = await quickTestWithUnknown(project, iteration, blob);
  return { predictions, unknown, isUnknown: isUnknown ?? false, seconds: seconds() };
}

/**
 * A picture of the web. This page loads nothing from elsewhere, so that the server fetches it, keeps it for the moment
 * as a prediction, and forgets it once it is here.
 */
export async function fetched(project: string, iteration: string, url: string): Promise<Blob> {
  const { id, created } = await quickTestUrlStored(project, iteration, url);
  const { results } = await queryPredictions(project, { iterationId: iteration, startTime: created });
  const found = results.find((each) => each.id === id);
  try {
    if (!found) throw new Error(text.common.failed);
    const response = await fetch(near(found.originalImageUri));
    if (!response.ok) throw new Error(text.common.failed);
    return await response.blob();
  } finally {
    await deletePredictions(project, [id]);
  }
}
