/** What a stored prediction says, in short and as a training image would have it. */
import type { ImageIdCreateEntry, Prediction, StoredImagePrediction } from "#/api/types.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { ghostsOf, surest } from "#/ui/canvas/ghosts.ts";
import type { Ghost } from "#/ui/canvas/types.ts";

/** From here on a model means what it says. */
export const SURE = 0.5;

export function best(predictions: readonly Prediction[]): Prediction | undefined {
  return predictions.reduce<Prediction | undefined>((one, other) => (one && one.probability >= other.probability ? one : other), undefined);
}

/** The boxes that a model means, one for each thing. */
export const boxesOf = (predictions: readonly Prediction[]): Ghost[] =>
  surest(ghostsOf(predictions, SURE), new Set(predictions.map((each) => each.tagId)));

export function summary({ predictions }: StoredImagePrediction, detects: boolean): string {
  const first = best(predictions);
  if (!first || (detects && first.probability < SURE)) return text.predictions.nothing;
  const told = `${first.tagName} ${percent(first.probability, 0)}`;
  const others = detects ? boxesOf(predictions).length : 0;
  return others > 1 ? `${told} · ${text.predictions.boxes(others)}` : told;
}

/** What a picture becomes when the model is believed; `known` are the tags that the project still has. */
export function believed(row: StoredImagePrediction, detects: boolean, known: ReadonlySet<string>): ImageIdCreateEntry {
  if (detects) {
    const boxes = surest(ghostsOf(row.predictions, SURE), known);
    return { id: row.id, regions: boxes.map(({ tagId, left, top, width, height }) => ({ tagId, left, top, width, height })) };
  }
  const first = best(row.predictions.filter((each) => known.has(each.tagId)));
  return { id: row.id, tagIds: first ? [first.tagId] : [] };
}
