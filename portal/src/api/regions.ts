/** Regions of images: drawing and deleting boxes, and boxes that are proposed. */
import { call, TRAINING } from "#/api/client.ts";
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

/** Boxes around what stands out, without any training. */
export const proposeRegions = (project: string, image: string): Promise<ImageRegionProposal> =>
  call("POST", `${at(project)}/images/${image}/regionproposals`);

/** What an iteration says of images; the server keeps it for 30 days. */
export const suggest = (
  project: string,
  iterationId: string,
  imageIds: readonly string[],
): Promise<SuggestedTagAndRegion[]> =>
  call("POST", `${at(project)}/tagsandregions/suggestions`, { query: { iterationId, imageIds } });
