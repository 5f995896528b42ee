/** Stored predictions as the filters in the address ask for them, page after page. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import { listsChanged } from "#/api/images.ts";
import { deletePredictions, imagesFromPredictions, predictionsKey, queryPredictions } from "#/api/predictions.ts";
import { tagsKey } from "#/api/tags.ts";
import type {
  ImageIdCreateEntry,
  PredictionQueryResult,
  PredictionQueryTag,
  PredictionQueryToken,
  StoredImagePrediction,
} from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import { done } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";

const MOST_AT_ONCE = 64;
const HOUR_MS = 3_600_000;
const FINE = new Set(["OK", "OKDuplicate"]);

export const ORDERS = ["Suggested", "Newest", "Oldest"] as const;
/** The values of the address that filter. */
export const FILTERS = ["iteration", "order", "since", "application", "tag1", "tag2"] as const;

/** A tag in the address: its id, and between which probabilities, in per cent. */
export interface TagRange {
  id: string;
  low: number;
  high: number;
}

export function readRange(written: string | null): TagRange | undefined {
  const [id = "", low = "0", high = "100"] = (written ?? "").split("~");
  return id ? { id, low: Number(low), high: Number(high) } : undefined;
}

export const writeRange = ({ id, low, high }: TagRange): string => (id ? `${id}~${low}~${high}` : "");

export interface Stored {
  rows: readonly StoredImagePrediction[];
  filtered: boolean;
  pending: boolean;
  error: unknown;
  retry: () => void;
  more: (() => void) | undefined;
  loadingMore: boolean;
  /** Make training images of predictions, which leave the list then. */
  save: (entries: readonly ImageIdCreateEntry[]) => Promise<void>;
  remove: (ids: readonly string[]) => Promise<void>;
}

/** `fresh`: look anew whenever the page is opened, also for what came since. */
export function useStored(project: string, { fresh }: { fresh: boolean }): Stored {
  const client = useQueryClient();
  const [values] = useQueryValues();
  const wanted = FILTERS.map((name) => values.get(name) ?? "");
  const key = [...predictionsKey(project), ...wanted];
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => queryPredictions(project, pageParam ?? asked(values)),
    initialPageParam: null as PredictionQueryToken | null,
    getNextPageParam: ({ token }) => (token.continuation ? token : null),
    staleTime: Infinity,
    refetchOnMount: fresh ? "always" : true,
  });
  const rows = useMemo(() => (query.data?.pages ?? []).flatMap((page) => page.results), [query.data]);

  const drop = useCallback(
    (ids: readonly string[]): void => {
      const gone = new Set(ids);
      client.setQueriesData<InfiniteData<PredictionQueryResult>>({ queryKey: predictionsKey(project) }, (now) =>
        now && { ...now, pages: now.pages.map((page) => ({ ...page, results: page.results.filter((row) => !gone.has(row.id)) })) },
      );
    },
    [client, project],
  );
  const save = useCallback(
    async (entries: readonly ImageIdCreateEntry[]): Promise<void> => {
      for (const some of chunks(entries)) {
        const { images } = await imagesFromPredictions(project, some);
        drop(some.filter((_, at) => FINE.has(images[at]?.status ?? "")).map((entry) => entry.id));
        const [first, ...others] = images.filter((image) => !FINE.has(image.status));
        if (first) throw new Error(text.predictions.notSaved(1 + others.length, first.status));
      }
      done(text.predictions.saved(entries.length));
      void listsChanged(client, project);
      void client.invalidateQueries({ queryKey: tagsKey(project) });
    },
    [client, project, drop],
  );
  const remove = useCallback(
    async (ids: readonly string[]): Promise<void> => {
      for (const some of chunks(ids)) {
        await deletePredictions(project, some);
        drop(some);
      }
      done(text.predictions.deleted(ids.length));
    },
    [project, drop],
  );
  return {
    rows,
    filtered: wanted.some((value, at) => value !== "" && FILTERS[at] !== "order"),
    pending: query.isPending,
    error: query.error,
    retry: () => void query.refetch(),
    more: query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : undefined,
    loadingMore: query.isFetchingNextPage,
    save,
    remove,
  };
}

function asked(values: URLSearchParams): PredictionQueryToken {
  const ranges = [readRange(values.get("tag1")), readRange(values.get("tag2"))].filter((each) => each !== undefined);
  const hours = Number(values.get("since"));
  return {
    orderBy: values.get("order") || ORDERS[0],
    iterationId: values.get("iteration") || null,
    application: values.get("application") ?? "",
    startTime: hours ? new Date(Date.now() - hours * HOUR_MS).toISOString() : null,
    tags: ranges.map(
      ({ id, low, high }): PredictionQueryTag => ({ id, minThreshold: low / 100, maxThreshold: high / 100 }),
    ),
  };
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MOST_AT_ONCE) }, (_, at) =>
    all.slice(at * MOST_AT_ONCE, (at + 1) * MOST_AT_ONCE),
  );
}
