/** The tags of one image: shown at once, sent one after another, and undone step by step. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useReducer, useRef, useState } from "react";

import { imageKey, listsChanged, tagImages, untagImages } from "#/api/images.ts";
import { rulesOf, tagsKey } from "#/api/tags.ts";
import type { Image, Tag } from "#/api/types.ts";
import type { SaveState } from "#/features/editor/saver.ts";
import { begun, type History, undone, went } from "#/lib/history.ts";
import { switched } from "#/lib/tagging.ts";
import { text } from "#/text/index.ts";

type Ids = readonly string[];
type Step = "undo" | ((now: Ids) => Ids);

export interface ImageTags {
  tagIds: Ids;
  state: SaveState;
  toggle: (id: string) => void;
  /** Undefined while there is nothing to undo. */
  undo: (() => void) | undefined;
  retry: () => void;
  settled: () => Promise<boolean>;
}

const stepped = (history: History<Ids>, step: Step): History<Ids> =>
  step === "undo" ? undone(history) : went(history, step(history.present));

export function useImageTags(project: string, image: Image, tags: readonly Tag[], single: boolean): ImageTags {
  const first = useMemo(() => (image.tags ?? []).map((tag) => tag.tagId), [image.tags]);
  const [history, step] = useReducer(stepped, first, begun);
  const wanted = history.present;
  const { state, bring, settled } = useSending(project, image, first);
  useEffect(() => bring(wanted), [bring, wanted]);
  const toggle = (id: string): void => step((now) => switched(now, id, rulesOf(tags, single)));
  return {
    tagIds: wanted,
    state,
    settled,
    toggle,
    undo: history.past.length > 0 ? () => step("undo") : undefined,
    retry: () => bring(wanted),
  };
}

interface Sending {
  state: SaveState;
  bring: (wanted: Ids) => void;
  settled: () => Promise<boolean>;
}

/** Brings the tags that are wanted to the server: what goes is taken first, as some tags bear no other beside them. */
function useSending(project: string, image: Image, first: Ids): Sending {
  const client = useQueryClient();
  const [state, setState] = useState<SaveState>({ kind: "saved" });
  const kept = useRef<Ids>(first);
  const goal = useRef<Ids>(first);
  const run = useRef<Promise<boolean>>(Promise.resolve(true));
  const sending = useMemo(() => {
    const send = async (): Promise<boolean> => {
      const gone = kept.current.filter((id) => !goal.current.includes(id));
      const fresh = goal.current.filter((id) => !kept.current.includes(id));
      if (gone.length === 0 && fresh.length === 0) return true;
      setState({ kind: "saving" });
      try {
        if (gone.length > 0) await untagImages(project, gone.map((tagId) => ({ imageId: image.id, tagId })));
        kept.current = kept.current.filter((id) => !gone.includes(id));
        await give(project, image.id, fresh);
        kept.current = [...kept.current, ...fresh];
        setState({ kind: "saved" });
        return true;
      } catch (error) {
        setState({ kind: "failed", error });
        return false;
      } finally {
        const known = kept.current.map((tagId) => ({ tagId, tagName: null, created: image.created }));
        client.setQueryData<Image>(imageKey(project, image.id), (now) => now && { ...now, tags: known });
        void listsChanged(client, project);
        void client.invalidateQueries({ queryKey: tagsKey(project) });
      }
    };
    return {
      bring: (wanted: Ids): void => {
        goal.current = wanted;
        run.current = run.current.then(send);
      },
      settled: () => run.current,
    };
  }, [client, project, image.id, image.created]);
  return { state, ...sending };
}

async function give(project: string, imageId: string, tagIds: Ids): Promise<void> {
  if (tagIds.length === 0) return;
  const { exceeded } = await tagImages(project, tagIds.map((tagId) => ({ imageId, tagId })));
  if (exceeded.length > 0) throw new Error(text.editor.refused);
}
