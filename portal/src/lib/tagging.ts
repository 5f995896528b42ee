/** Which tags images lose and gain by a change, so that it can be made, and made undone. */

export interface Pair {
  imageId: string;
  tagId: string;
}

export interface Change {
  add: Pair[];
  remove: Pair[];
}

export interface Tagged {
  id: string;
  tags?: readonly { tagId: string }[] | null | undefined;
}

export interface Rules {
  /** An image has at most one tag. */
  exclusive: boolean;
  /** The tag that no other may stand beside, if there is one. */
  negative?: string | undefined;
}

/** The change that gives the tag to images: what it excludes goes. */
export function giving(images: readonly Tagged[], tagId: string, rules: Rules): Change {
  const change: Change = { add: [], remove: [] };
  for (const image of images) {
    const borne = (image.tags ?? []).map((tag) => tag.tagId);
    if (!borne.includes(tagId)) change.add.push({ imageId: image.id, tagId });
    for (const other of borne) {
      if (other !== tagId && (rules.exclusive || other === rules.negative || tagId === rules.negative)) {
        change.remove.push({ imageId: image.id, tagId: other });
      }
    }
  }
  return change;
}

/** The tags of an image with one more, or without one that it has. */
export function switched(tagIds: readonly string[], id: string, rules: Rules): readonly string[] {
  if (tagIds.includes(id)) return tagIds.filter((each) => each !== id);
  const { remove } = giving([{ id: "", tags: tagIds.map((tagId) => ({ tagId })) }], id, rules);
  return [...tagIds.filter((each) => !remove.some((pair) => pair.tagId === each)), id];
}

/** The change that takes tags from images; none named: all. */
export function taking(images: readonly Tagged[], tagIds?: readonly string[]): Change {
  const remove = images.flatMap((image) =>
    (image.tags ?? [])
      .filter((tag) => !tagIds || tagIds.includes(tag.tagId))
      .map((tag) => ({ imageId: image.id, tagId: tag.tagId })),
  );
  return { add: [], remove };
}

export const reversed = (change: Change): Change => ({ add: change.remove, remove: change.add });

export const isNothing = (change: Change): boolean => change.add.length + change.remove.length === 0;
