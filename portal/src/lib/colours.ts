/** A colour for each tag: the same wherever and whenever the tag is shown, as different as may be from the others. */

export interface Colour {
  /** Of lines on pictures and of filled labels. */
  readonly fill: string;
  /** Of words upon it, with a contrast of at least 4.5. */
  readonly ink: string;
}

const DARK = "#10151a";
const LIGHT = "#ffffff";

/** Bright enough to stand out on most photos, and far from one another also for people who confuse red and green. */
export const PALETTE: readonly Colour[] = [
  { fill: "#ffb000", ink: DARK },
  { fill: "#2fa8ff", ink: DARK },
  { fill: "#d6249f", ink: LIGHT },
  { fill: "#18b981", ink: DARK },
  { fill: "#7a4dff", ink: LIGHT },
  { fill: "#ff6b3d", ink: DARK },
  { fill: "#00d5d5", ink: DARK },
  { fill: "#c1121f", ink: LIGHT },
  { fill: "#b6d400", ink: DARK },
  { fill: "#1d5fd1", ink: LIGHT },
  { fill: "#ff8fc7", ink: DARK },
  { fill: "#8a5a12", ink: LIGHT },
  { fill: "#f4e409", ink: DARK },
  { fill: "#0f766e", ink: LIGHT },
  { fill: "#c9a6ff", ink: DARK },
  { fill: "#5f6b7a", ink: LIGHT },
];

/** A label in a colour, as a style. */
export const painted = ({ fill, ink }: Colour): { background: string; color: string } => ({ background: fill, color: ink });

export const NEUTRAL: Colour = { fill: "#f2f4f7", ink: DARK };

/** Give the colours by tag. Each tag has a place of its own in the palette; where it is taken, the next free one. */
export function coloursOf(tags: readonly string[]): Map<string, Colour> {
  const made = new Map<string, Colour>();
  const taken = new Set<number>();
  for (const tag of [...new Set(tags)].sort()) {
    let place = hashed(tag) % PALETTE.length;
    if (taken.size === PALETTE.length) taken.clear();
    while (taken.has(place)) place = (place + 1) % PALETTE.length;
    taken.add(place);
    made.set(tag, PALETTE[place] ?? NEUTRAL);
  }
  return made;
}

function hashed(written: string): number {
  let value = 2_166_136_261;
  for (let at = 0; at < written.length; at += 1) value = Math.imul(value ^ written.charCodeAt(at), 16_777_619);
  return value >>> 0;
}
