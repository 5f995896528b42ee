/** The images of a filter, page by page as they come into view, and how many there are. */
import { keepPreviousData, useQueries, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useCallback } from "react";

import { getImages, imageCount, type ImageFilter, imagesKey, MOST_TAKEN } from "#/api/images.ts";
import type { Image } from "#/api/types.ts";

export interface Images {
  count: number | undefined;
  error: unknown;
  retry: () => void;
  /** The image at a place, if its page is here; another function whenever other images are here. */
  at: (place: number) => Image | undefined;
}

export function useImages(project: string, filter: ImageFilter, first: number, last: number): Images {
  const key = [...imagesKey(project), filter];
  const count = useQuery({
    queryKey: [...key, "count"],
    queryFn: () => imageCount(project, filter),
    placeholderData: keepPreviousData,
  });
  const total = count.data ?? 0;
  const start = Math.floor(first / MOST_TAKEN);
  const end = total ? Math.min(Math.floor(last / MOST_TAKEN), Math.floor((total - 1) / MOST_TAKEN)) : -1;
  const numbers = Array.from({ length: Math.max(0, end - start + 1) }, (_, at) => start + at);
  const pages = useQueries({
    queries: numbers.map((number) => ({
      queryKey: [...key, number],
      queryFn: ({ signal }: { signal: AbortSignal }) => getImages(project, filter, number * MOST_TAKEN, MOST_TAKEN, signal),
    })),
    combine: together,
  });
  const { lists } = pages;
  const at = useCallback((place: number) => lists[Math.floor(place / MOST_TAKEN) - start]?.[place % MOST_TAKEN], [lists, start]);
  const retry = (): void => void (count.isError ? count.refetch() : pages.retry());
  return { count: count.data, error: count.error ?? pages.error, retry, at };
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
