/** The images of a filter, page by page as they come into view, and how many there are. */
import { keepPreviousData, type QueryClient, useQueries, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useCallback } from "react";

import { countQuery, type ImageFilter, PAGE, pageQuery } from "#/api/images.ts";
import type { Image } from "#/api/types.ts";

export interface Images {
  count: number | undefined;
  error: unknown;
  retry: () => void;
  /** The image at a place, if its page is here; another function whenever other images are here. */
  at: (place: number) => Image | undefined;
}

export function useImages(project: string, filter: ImageFilter, first: number, last: number): Images {
  const count = useQuery({ ...countQuery(project, filter), placeholderData: keepPreviousData });
  const start = Math.floor(first / PAGE);
  // The first page is asked for with the count, not after it.
  const end = count.data === undefined ? start : Math.floor(Math.min(last, count.data - 1) / PAGE);
  const numbers = Array.from({ length: Math.max(0, end - start + 1) }, (_, at) => start + at);
  const pages = useQueries({ queries: numbers.map((number) => pageQuery(project, filter, number)), combine: together });
  const { lists } = pages;
  const at = useCallback((place: number) => lists[Math.floor(place / PAGE) - start]?.[place % PAGE], [lists, start]);
  const retry = (): void => void (count.isError ? count.refetch() : pages.retry());
  return { count: count.data, error: count.error ?? pages.error, retry, at };
}

/** All images between two places and at them, those that were never in view as well. */
export async function imagesBetween(
  client: QueryClient,
  project: string,
  filter: ImageFilter,
  places: readonly [number, number],
): Promise<Image[]> {
  const [from, to] = [Math.min(...places), Math.max(...places)];
  const first = Math.floor(from / PAGE);
  const found: Image[] = [];
  for (let page = first; page * PAGE <= to; page += 1) {
    found.push(...(await client.ensureQueryData(pageQuery(project, filter, page))));
  }
  return found.slice(from - first * PAGE, to + 1 - first * PAGE);
}

interface Together {
  lists: (Image[] | undefined)[];
  error: unknown;
  retry: () => void;
}

function together(pages: UseQueryResult<Image[]>[]): Together {
  const failed = pages.find((page) => page.isError);
  return { lists: pages.map((page) => page.data), error: failed?.error ?? null, retry: () => void failed?.refetch() };
}
