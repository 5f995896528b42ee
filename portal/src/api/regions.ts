/** Regions of images: drawing and deleting boxes, and boxes that are proposed. */
import { call, TRAINING } from "#/api/client.ts";
import { parts } from "#/api/images.ts";
import type { ImageRegionCreateSummary, ImageRegionProposal, SuggestedTagAndRegion } from "#/api/types.ts";

export const MOST_AT_ONCE = 64;
export const MOST_ON_AN_IMAGE = 300;

export interface NewRegion {
  imageId: string;
  tagId: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

const at = (project: string): string => `${TRAINING}/projects/${project}`;

export const createRegions = (project: string, regions: readonly NewRegion[]): Promise<ImageRegionCreateSummary> =>
  call("POST", `${at(project)}/images/regions`, { json: { regions } });

export const deleteRegions = (project: string, regionIds: readonly string[]): Promise<void> =>
  call("DELETE", `${at(project)}/images/regions`, { query: { regionIds } });

/** Make any number of boxes; return how to take them back. */
export async function createManyRegions(project: string, regions: readonly NewRegion[]): Promise<() => Promise<void>> {
  const ids: string[] = [];
  for (const part of parts(regions, MOST_AT_ONCE)) {
    const made = await createRegions(project, part);
    ids.push(...made.created.map((region) => region.regionId));
  }
  return async () => {
    for (const part of parts(ids, MOST_AT_ONCE)) await deleteRegions(project, part);
  };
}

/** Boxes around what stands out, without any training. */
export const proposeRegions = (project: string, image: string): Promise<ImageRegionProposal> =>
  call("POST", `${at(project)}/images/${image}/regionproposals`);

/** What an iteration says of images; the server keeps it for 30 days. */
export const suggest = (
  project: string,
  iterationId: string,
  imageIds: readonly string[],
  signal?: AbortSignal,
): Promise<SuggestedTagAndRegion[]> =>
  call("POST", `${at(project)}/tagsandregions/suggestions`, { query: { iterationId, imageIds }, signal });
