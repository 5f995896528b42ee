/** Boxes that a model sees, from what the server tells of them. */
import type { Prediction } from "#/api/types.ts";
import { overlap, within } from "#/lib/geometry.ts";
import type { Ghost } from "#/ui/canvas/types.ts";

/** Boxes that cover each other as much are of one thing. */
const SAME_THING = 0.6;

/** The boxes of at least a probability, the surest first. */
export function ghostsOf(predictions: readonly Prediction[], from = 0): Ghost[] {
  return predictions
    .flatMap(({ boundingBox, tagId, probability }, at) =>
      boundingBox && probability >= from ? [{ ...within(boundingBox), key: `ghost-${at}`, tagId, probability }] : [],
    )
    .filter((ghost) => ghost.width > 0 && ghost.height > 0)
    .toSorted((one, other) => other.probability - one.probability);
}

/** Of several boxes around one thing only the surest; `known` are the tags that a project still has. */
export function surest(ghosts: readonly Ghost[], known: ReadonlySet<string>): Ghost[] {
  const found: Ghost[] = [];
  for (const ghost of ghosts) {
    if (known.has(ghost.tagId) && !found.some((each) => overlap(each, ghost) > SAME_THING)) found.push(ghost);
  }
  return found;
}
