/** What is drawn on a picture. */
import type { Colour } from "#/lib/colours.ts";
import type { Box } from "#/lib/geometry.ts";

/** A box that belongs to the picture; its key stays while it is moved, its tag is empty until it is named. */
export interface DrawnBox extends Box {
  readonly key: string;
  readonly tagId: string;
}

/** A box that a model sees, to be accepted. */
export interface Ghost extends DrawnBox {
  readonly probability: number;
}

/** How a tag is shown. */
export interface Look {
  readonly name: string;
  readonly colour: Colour;
}

export type Looks = ReadonlyMap<string, Look>;
