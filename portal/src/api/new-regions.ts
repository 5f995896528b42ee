/** Many boxes at once. */
import { parts } from "#/api/images.ts";
import { call, TRAINING } from "#/api/client.ts";
import type { ImageRegionCreateEntry, ImageRegionCreateSummary } from "#/api/types.ts";

export type NewRegion = ImageRegionCreateEntry;

/** The most boxes that one call makes or deletes. */
const MOST = 64;

/** Make boxes; return how to take them back. */
export async function createRegions(project: string, regions: readonly NewRegion[]): Promise<() => Promise<void>> {
  const at = `${TRAINING}/projects/${project}/images/regions`;
  const ids: string[] = [];
  for (const part of parts(regions, MOST)) {
    const made = await call<ImageRegionCreateSummary>("POST", at, { json: { regions: part } });
    ids.push(...made.created.map((region) => region.regionId));
  }
  return async () => {
    for (const part of parts(ids, MOST)) await call("DELETE", at, { query: { regionIds: part } });
  };
}
