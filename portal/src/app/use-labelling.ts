/** What is done to images' tags: at once on the server, with a way back. */
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { deleteImages, imagesKey, type Pair, tagImages, untagImages } from "#/api/images.ts";
import { createTag, rulesOf, tagsKey, useTags } from "#/api/tags.ts";
import type { Image, Project, Tag } from "#/api/types.ts";
import { done, failed, soon } from "#/app/undo.tsx";
import { type Change, giving, isNothing, reversed, type Tagged, taking } from "#/lib/tagging.ts";
import { text } from "#/text/index.ts";

export interface Labelling {
  tags: Tag[];
  give: (images: readonly Tagged[], tag: Tag) => Promise<void>;
  /** Make a tag of this name, or find it, and give it; gives whether there is one. */
  giveNamed: (images: readonly Tagged[], name: string) => Promise<boolean>;
  /** Give untagged images tags, a pair each. */
  giveAll: (pairs: readonly Pair[], said: string) => Promise<void>;
  take: (images: readonly Tagged[], tagIds?: readonly string[]) => Promise<void>;
  remove: (images: readonly Image[], hide: (ids: string[]) => void, show: () => void) => void;
}

export function useLabelling(project: Project): Labelling {
  const client = useQueryClient();
  const tags = useTags(project.id).data;
  return useMemo(() => {
    const every = tags ?? [];
    const rules = rulesOf(every, project.settings.classificationType === "Multiclass");
    const refresh = async (): Promise<void> => {
      await Promise.all([
        client.invalidateQueries({ queryKey: imagesKey(project.id) }),
        client.invalidateQueries({ queryKey: tagsKey(project.id) }),
        client.invalidateQueries({ queryKey: ["labelling", project.id] }),
      ]);
    };
    const make = async (change: Change): Promise<void> => {
      try {
        await untagImages(project.id, change.remove);
        await tagImages(project.id, change.add);
      } finally {
        await refresh();
      }
    };
    const change = async (wanted: Change, said: string): Promise<void> => {
      if (isNothing(wanted)) return;
      try {
        await make(wanted);
        done(said, () => make(reversed(wanted)));
      } catch (error) {
        failed(error);
      }
    };
    const give: Labelling["give"] = (images, tag) =>
      change(giving(images, tag.id, rules), text.images.tagged(images.length, tag.name));
    return {
      tags: every,
      give,
      giveNamed: async (images, name) => {
        try {
          const known = every.find((tag) => tag.name.toLowerCase() === name.trim().toLowerCase());
          await give(images, known ?? (await createTag(project.id, name.trim())));
          return true;
        } catch (error) {
          failed(error);
          return false;
        }
      },
      giveAll: (pairs, said) => change({ add: [...pairs], remove: [] }, said),
      take: (images, tagIds) => change(taking(images, tagIds), text.images.untagged(images.length)),
      remove: (images, hide, show) => {
        const ids = images.map((image) => image.id);
        hide(ids);
        soon(
          text.images.deleting(ids.length),
          async () => {
            try {
              await deleteImages(project.id, ids);
            } finally {
              await refresh();
              show();
            }
          },
          show,
        );
      },
    };
  }, [client, project, tags]);
}
