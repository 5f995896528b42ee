/** Images of a project: finding them, tagging, setting aside for testing, deleting. */
import { type QueryClient, queryOptions } from "@tanstack/react-query";

import { call, get, OWN, TRAINING } from "#/api/client.ts";
import type { Image, ImageCreateSummary, ImageTagCreateSummary, TestSetSummary } from "#/api/types.ts";

export const MOST_TAKEN = 256;
/** How many images the grid asks for at a time: a page of them is there sooner than all that may be taken. */
export const PAGE = 128;
/** The most pairs of image and tag that one call gives, and the most images from which it takes tags. */
const MOST_PAIRS = 128;
const MOST_UNTAGGED = 64;
/** The pair of an image's metadata that sets it aside for testing. */
export const TEST_KEY = "foveal.testSet";

export interface ImageFilter {
  tagIds?: readonly string[];
  status?: string;
  iterationId?: string;
  orderBy?: string;
  /** A condition on metadata. */
  metadata?: string;
}

/** The filter that a place carries in its query, the same in the grid and in the editor. */
export const filterOf = (query: URLSearchParams): ImageFilter => ({
  tagIds: (query.get("tagIds") ?? "").split(",").filter(Boolean),
  status: query.get("status") ?? "",
  iterationId: query.get("iterationId") ?? "",
  orderBy: query.get("orderBy") ?? "",
  metadata: query.get("metadata") ?? "",
});

export interface Pair {
  imageId: string;
  tagId: string;
}

/** Begins the key of all queries of the images of a project. */
export const imagesKey = (project: string): string[] => ["images", project];
export const imageKey = (project: string, image: string): string[] => [...imagesKey(project), "one", image];

/** Have lists and counts of images read anew; what is known of single images stays, as an editor keeps it up to date. */
export const listsChanged = (client: QueryClient, project: string): Promise<void> =>
  client.invalidateQueries({ queryKey: imagesKey(project), predicate: ({ queryKey }) => queryKey[2] !== "one" });

const at = (project: string): string => `${TRAINING}/projects/${project}/images`;

const asked = ({ tagIds, status, iterationId, orderBy, metadata }: ImageFilter) => ({
  tagIds: tagIds ?? [],
  taggingStatus: status || undefined,
  iterationId: iterationId || undefined,
  orderBy: orderBy || undefined,
  $filter: metadata || undefined,
});

/** A page of images, newest first; several tags mean any of them. */
export const getImages = (
  project: string,
  filter: ImageFilter,
  skip: number,
  take = MOST_TAKEN,
  signal?: AbortSignal,
): Promise<Image[]> => get(at(project), { ...asked(filter), skip, take }, signal);

export function imageCount(project: string, filter: ImageFilter = {}, signal?: AbortSignal): Promise<number> {
  const { orderBy: _, ...conditions } = asked(filter);
  return get(`${at(project)}/count`, conditions, signal);
}

/** All images of a filter, as many at a time as may be taken. */
export async function* takes(project: string, filter: ImageFilter): AsyncGenerator<Image[], void> {
  for (let skip = 0; ; skip += MOST_TAKEN) {
    const taken = await getImages(project, filter, skip);
    yield taken;
    if (taken.length < MOST_TAKEN) return;
  }
}

/** A page of images, for the grid. */
export const pageQuery = (project: string, filter: ImageFilter, page: number) =>
  queryOptions({
    queryKey: [...imagesKey(project), filter, page],
    queryFn: ({ signal }) => getImages(project, filter, page * PAGE, PAGE, signal),
  });

export const countQuery = (project: string, filter: ImageFilter) =>
  queryOptions({
    queryKey: [...imagesKey(project), filter, "count"],
    queryFn: ({ signal }) => imageCount(project, filter, signal),
  });

/** Those of at most 256 images that exist, in the order asked for. */
export const imagesByIds = (project: string, ids: readonly string[], signal?: AbortSignal): Promise<Image[]> =>
  get(`${at(project)}/id`, { imageIds: ids }, signal);

/** Give images tags, a pair each. */
export async function tagImages(project: string, pairs: readonly Pair[]): Promise<ImageTagCreateSummary> {
  const all: ImageTagCreateSummary = { created: [], duplicated: [], exceeded: [] };
  for (const part of parts(pairs, MOST_PAIRS)) {
    const made = await call<ImageTagCreateSummary>("POST", `${at(project)}/tags`, { json: { tags: part } });
    all.created.push(...made.created);
    all.duplicated.push(...made.duplicated);
    all.exceeded.push(...made.exceeded);
  }
  return all;
}

/** Take tags from images, a pair each. */
export async function untagImages(project: string, pairs: readonly Pair[]): Promise<void> {
  for (const [tagIds, own] of Map.groupBy(pairs, (pair) => pair.tagId)) {
    for (const part of parts(own, MOST_UNTAGGED)) {
      await call("DELETE", `${at(project)}/tags`, { query: { tagIds, imageIds: part.map((pair) => pair.imageId) } });
    }
  }
}

export async function deleteImages(project: string, ids: readonly string[]): Promise<void> {
  for (const part of parts(ids, MOST_TAKEN)) await call("DELETE", at(project), { query: { imageIds: part } });
}

/** Send pictures as files, in one call; the results are in their order. */
export function sendImages(
  project: string,
  files: readonly File[],
  tags: readonly string[],
  signal: AbortSignal,
): Promise<ImageCreateSummary> {
  const body = new FormData();
  for (const file of files) body.append("imageData", file, file.name);
  return call("POST", at(project), { body, query: { tagIds: tags }, signal });
}

export async function setAside(project: string, ids: readonly string[], member: boolean): Promise<void> {
  for (const imageIds of parts(ids, MOST_TAKEN)) {
    await call<TestSetSummary>("PUT", `${OWN}/projects/${project}/test-set`, { json: { imageIds, member } });
  }
}

export const isSetAside = (image: Image): boolean => image.metadata?.[TEST_KEY] === "true";

/** All in parts of at most so many. */
export function parts<T>(all: readonly T[], most: number): T[][] {
  const made: T[][] = [];
  for (let start = 0; start < all.length; start += most) made.push(all.slice(start, start + most));
  return made;
}
