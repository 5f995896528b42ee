/** What models say of untagged images: the assistant's guesses, and those that the Smart Labeler keeps. */
import { call, get, OWN, TRAINING } from "#/api/client.ts";
import type {
  AssistedImages,
  NextImages,
  Prediction,
  StoredSuggestedTagAndRegion,
  SuggestedTagAndRegionQuery,
  SuggestedTagAndRegionQueryToken,
} from "#/api/types.ts";

export type Suggested = StoredSuggestedTagAndRegion;
/** The most images that one call suggests for. */
export const BATCH = 16;
const PAGE = 64;

const at = (project: string): string => `${TRAINING}/projects/${project}`;
const own = (project: string): string => `${OWN}/projects/${project}/labelling`;

export const labellingKey = (project: string): string[] => ["labelling", project];

export const assisted = (project: string, surestFirst: boolean): Promise<AssistedImages> =>
  get(`${own(project)}/assistant`, { surestFirst, take: 90 });

export const nextImages = (project: string): Promise<NextImages> => get(`${own(project)}/next`, { take: 24 });

export const suggested = (
  project: string,
  iteration: string,
  token: SuggestedTagAndRegionQueryToken,
): Promise<SuggestedTagAndRegionQuery> =>
  call("POST", `${at(project)}/images/suggested`, { query: { iterationId: iteration }, json: { maxCount: PAGE, ...token } });

export const suggestedCount = (
  project: string,
  iteration: string,
  tagIds: readonly string[],
  threshold: number,
): Promise<Record<string, number>> =>
  call("POST", `${at(project)}/images/suggested/count`, { query: { iterationId: iteration }, json: { tagIds, threshold } });

/** The ids of all images that an iteration has kept suggestions for. */
export async function suggestedIds(project: string, iteration: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let token: SuggestedTagAndRegionQueryToken = { threshold: 0, maxCount: 256 };
  for (;;) {
    const page = await suggested(project, iteration, token);
    for (const each of page.results) ids.add(each.id);
    if (!page.token.continuation) return ids;
    ({ token } = page);
  }
}

/** What would be confirmed of an image: the likeliest tag where tags exclude one another, else all that are likely. */
export function likely(predictions: readonly Prediction[], exclusive: boolean, threshold = 0.5): Prediction[] {
  if (exclusive) return predictions.slice(0, 1);
  const found = predictions.filter((each) => each.probability >= threshold);
  return found.length ? found : predictions.slice(0, 1);
}
