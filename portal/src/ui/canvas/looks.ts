/** Names and colours of tags, for pictures and lists. */
import { useMemo } from "react";

import { coloursOf, NEUTRAL } from "#/lib/colours.ts";
import { text } from "#/text/index.ts";
import type { Look, Looks } from "#/ui/canvas/types.ts";

export interface Named {
  id: string;
  name: string;
}

export function useLooks(tags: readonly Named[] | undefined): Looks {
  return useMemo(() => {
    const colours = coloursOf((tags ?? []).map((tag) => tag.id));
    return new Map((tags ?? []).map((tag) => [tag.id, { name: tag.name, colour: colours.get(tag.id) ?? NEUTRAL }]));
  }, [tags]);
}

const UNNAMED: Look = { name: text.canvas.unnamed, colour: NEUTRAL };
const GONE: Look = { name: text.canvas.gone, colour: NEUTRAL };

/** How a tag looks: also one that is not chosen yet, or that was deleted meanwhile. */
export const lookOf = (looks: Looks, tagId: string): Look => (tagId ? (looks.get(tagId) ?? GONE) : UNNAMED);
