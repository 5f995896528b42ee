/** Boxes on a picture, their edges being fractions of its width and height from 0 to 1, as the API has them. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The eight places by which a box is resized, by the edges that they move. */
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;
export type Handle = (typeof HANDLES)[number];

/** No box gets smaller than this share of the picture. */
export const LEAST = 0.004;

export const clamped = (value: number, low = 0, high = 1): number => Math.min(Math.max(value, low), high);

/** The box between two corners, cut to the picture. */
export function between(one: Point, other: Point): Box {
  const [left, right] = [clamped(Math.min(one.x, other.x)), clamped(Math.max(one.x, other.x))];
  const [top, bottom] = [clamped(Math.min(one.y, other.y)), clamped(Math.max(one.y, other.y))];
  return { left, top, width: right - left, height: bottom - top };
}

/** The box a step further, as far as the picture reaches. */
export function moved(box: Box, dx: number, dy: number): Box {
  return {
    ...box,
    left: clamped(box.left + dx, 0, Math.max(0, 1 - box.width)),
    top: clamped(box.top + dy, 0, Math.max(0, 1 - box.height)),
  };
}

/** The box with the edges of a handle moved: within the picture, and never turned inside out. */
export function resized(box: Box, handle: Handle, dx: number, dy: number): Box {
  const [left, right] = stretched(box.left, box.left + box.width, dx, handle.includes("w"), handle.includes("e"));
  const [top, bottom] = stretched(box.top, box.top + box.height, dy, handle.includes("n"), handle.includes("s"));
  return { left, top, width: right - left, height: bottom - top };
}

function stretched(low: number, high: number, by: number, lower: boolean, upper: boolean): [number, number] {
  if (lower) return [clamped(low + by, 0, Math.max(0, high - LEAST)), high];
  if (upper) return [low, clamped(high + by, Math.min(1, low + LEAST), 1)];
  return [low, high];
}

export const contains = (box: Box, { x, y }: Point): boolean =>
  x >= box.left && x <= box.left + box.width && y >= box.top && y <= box.top + box.height;

export const area = (box: Box): number => box.width * box.height;

/** The smallest box at a point: what lies within another can be reached. */
export function hit<T extends Box>(boxes: readonly T[], point: Point): T | undefined {
  let found: T | undefined;
  for (const box of boxes) {
    if (contains(box, point) && (!found || area(box) < area(found))) found = box;
  }
  return found;
}

/** The share of their common ground in the ground of both: 1 for the same box, 0 for boxes apart. */
export function overlap(one: Box, other: Box): number {
  const width = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
  const height = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (area(one) + area(other) - common);
}

/** Whether two boxes are the same to what the server can tell apart. */
export const same = (one: Box, other: Box): boolean =>
  (["left", "top", "width", "height"] as const).every((edge) => Math.abs(one[edge] - other[edge]) < 1e-6);

/** The part of a box that lies on the picture: models may look a little over its edges. */
export const within = (box: Box): Box =>
  between({ x: box.left, y: box.top }, { x: box.left + box.width, y: box.top + box.height });

/** Width and height no longer than `most` on either side, in the same proportion. */
export function fitted(width: number, height: number, most: number): [number, number] {
  const share = Math.min(1, most / Math.max(width, height));
  return [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
}
