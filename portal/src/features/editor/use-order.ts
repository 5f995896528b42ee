/** The images before and after the one that is shown, as the grid of images has them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";

import { getImages, imageCount, type ImageFilter, MOST_TAKEN } from "#/api/images.ts";

interface Order {
  ids: readonly string[];
  /** Where in all images the first of these is. */
  from: number;
  /** How many images were found at first. */
  total: number;
  ended: boolean;
}

export interface Neighbours {
  before: string | undefined;
  after: string | undefined;
  /** 1 for the first image. */
  position: number | undefined;
  total: number | undefined;
  /** Forget an image that was deleted. */
  drop: (image: string) => void;
}

/** So near the end of what is known more is asked for. */
const NEAR = 4;

/**
 * What is known stays as it was when the page was opened: an image that is tagged meanwhile leaves the untagged ones,
 * but not the order in which a person walks through them.
 */
export function useOrder(project: string, image: string, filter: ImageFilter, hint: number): Neighbours {
  const client = useQueryClient();
  const [anchor] = useState(image);
  const [key] = useState(() => ["order", project, filter, anchor, crypto.randomUUID()]);
  const { data } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => find(project, anchor, filter, hint, signal),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const at = data ? data.ids.indexOf(image) : -1;
  const set = useCallback(
    (change: (now: Order) => Order) => client.setQueryData<Order>(key, (now) => now && change(now)),
    [client, key],
  );

  const wantsAfter = data && at >= data.ids.length - NEAR && at >= 0 && !data.ended;
  const wantsBefore = data && at >= 0 && at < NEAR && data.from > 0;
  useEffect(() => {
    if (!data || !(wantsAfter || wantsBefore)) return;
    let gone = false;
    const more = wantsAfter ? later(project, data, filter) : earlier(project, data, filter);
    more.then((found) => !gone && set(() => found)).catch(() => undefined);
    return () => {
      gone = true;
    };
  }, [data, wantsAfter, wantsBefore, project, filter, set]);

  return {
    before: at > 0 ? data?.ids[at - 1] : undefined,
    after: at >= 0 ? data?.ids[at + 1] : undefined,
    position: data && at >= 0 ? data.from + at + 1 : undefined,
    total: data?.total,
    drop: useCallback(
      (gone: string) => set((now) => ({ ...now, ids: now.ids.filter((id) => id !== gone), total: now.total - 1 })),
      [set],
    ),
  };
}

type Page = (skip: number) => Promise<string[]>;

const pages = (project: string, filter: ImageFilter, signal?: AbortSignal): Page => {
  return async (skip) => (await getImages(project, filter, skip, MOST_TAKEN, signal)).map((image) => image.id);
};

async function find(project: string, image: string, filter: ImageFilter, hint: number, signal: AbortSignal): Promise<Order> {
  const page = pages(project, filter, signal);
  const total = await imageCount(project, filter, signal);
  const guess = Math.max(0, hint - MOST_TAKEN / 2);
  const guessed = await page(guess);
  if (guessed.includes(image)) return { ids: guessed, from: guess, total, ended: guessed.length < MOST_TAKEN };
  for (let skip = 0; skip < total; skip += MOST_TAKEN) {
    const ids = await page(skip);
    if (ids.includes(image)) return { ids, from: skip, total, ended: ids.length < MOST_TAKEN };
  }
  return { ids: [], from: 0, total, ended: true };
}

/** Images that lose what the filter asks for move up those behind them: then it is looked through from the beginning. */
async function later(project: string, now: Order, filter: ImageFilter): Promise<Order> {
  const page = pages(project, filter);
  const known = new Set(now.ids);
  const moves = Boolean(filter.status || filter.tagIds?.length);
  for (let skip = moves ? 0 : now.from + now.ids.length; ; skip += MOST_TAKEN) {
    const ids = await page(skip);
    const fresh = ids.filter((id) => !known.has(id));
    const ended = ids.length < MOST_TAKEN;
    if (fresh.length > 0 || ended) return { ...now, ids: [...now.ids, ...fresh], ended };
  }
}

async function earlier(project: string, now: Order, filter: ImageFilter): Promise<Order> {
  const from = Math.max(0, now.from - MOST_TAKEN);
  const ids = await pages(project, filter)(from);
  const known = new Set(now.ids);
  return { ...now, from, ids: [...ids.slice(0, now.from - from).filter((id) => !known.has(id)), ...now.ids] };
}
