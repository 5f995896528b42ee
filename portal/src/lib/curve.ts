/** Figures along the thresholds of a slider, and their lines as paths of an SVG. */

export interface Range {
  value: number;
  low: number;
  high: number;
}

interface Line {
  values: readonly number[];
  lows: readonly number[];
  highs: readonly number[];
}

export interface Rates {
  precision: Line;
  recall: Line;
  right: readonly number[];
  wrong: readonly number[];
  missed: readonly number[];
}

export interface Step {
  precision: Range;
  recall: Range;
  right: number;
  wrong: number;
  missed: number;
}

/** What comes of the step of the slider, counted from 0. */
export function at(rates: Rates, step: number): Step {
  return {
    precision: range(rates.precision, step),
    recall: range(rates.recall, step),
    right: rates.right[step] ?? 0,
    wrong: rates.wrong[step] ?? 0,
    missed: rates.missed[step] ?? 0,
  };
}

function range(line: Line, step: number): Range {
  return { value: line.values[step] ?? 0, low: line.lows[step] ?? 0, high: line.highs[step] ?? 1 };
}

/** The nearest step to a threshold; of one that keeps a promise the next higher one, which keeps it too. */
export const nearestStep = (threshold: number): number => Math.round(threshold * 100);
export const keepingStep = (threshold: number): number => Math.min(100, Math.ceil(threshold * 100 - 1e-9));

/** Read a number from the place; one that is none, or out of bounds, gives the other. */
export function bounded(written: string | null, most: number, otherwise: number): number {
  const value = written === null ? Number.NaN : Number(written);
  return value >= 0 && value <= most ? value : otherwise;
}

export interface Point {
  x: number;
  y: number;
}

/** Recall across, precision up, from the lowest threshold on; where nothing was said, there is no point. */
export function tradeoff(rates: Rates): (Point & { step: number })[] {
  const points: (Point & { step: number })[] = [];
  for (let step = 0; step < rates.right.length; step++) {
    const said = (rates.right[step] ?? 0) + (rates.wrong[step] ?? 0);
    if (said > 0) points.push({ x: rates.recall.values[step] ?? 0, y: rates.precision.values[step] ?? 0, step });
  }
  return points;
}

/** The outline of points 0..1 in a square of a size, whose y goes down. */
export function path(points: readonly Point[], size: number): string {
  return points.map(({ x, y }, index) => `${index ? "L" : "M"}${r(x * size)} ${r((1 - y) * size)}`).join("");
}

/** The arc of a ring from one share of it to another, clockwise from the top. */
export function arc(from: number, to: number, radius: number, centre: number): string {
  const [start, end] = [Math.max(0, from), Math.min(0.9999, to)];
  if (end <= start) return "";
  const on = (share: number): string => {
    const angle = 2 * Math.PI * share - Math.PI / 2;
    return `${r(centre + radius * Math.cos(angle))} ${r(centre + radius * Math.sin(angle))}`;
  };
  return `M${on(start)}A${radius} ${radius} 0 ${end - start > 0.5 ? 1 : 0} 1 ${on(end)}`;
}

const r = (value: number): number => Math.round(value * 100) / 100;
