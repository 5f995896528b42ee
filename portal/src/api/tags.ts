/** Tags of a project. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { call, get, TRAINING } from "#/api/client.ts";
import type { Tag, TagPatch } from "#/api/types.ts";
import type { Rules } from "#/lib/tagging.ts";

export const NEGATIVE = "Negative";
export const tagsKey = (project: string): string[] => ["tags", project];
const at = (project: string): string => `${TRAINING}/projects/${project}/tags`;

/** The tags with their counts: of the workspace, or as an iteration was trained. */
export const useTags = (project: string, iteration = ""): UseQueryResult<Tag[]> =>
  useQuery({
    queryKey: [...tagsKey(project), iteration],
    queryFn: () => get<Tag[]>(at(project), { iterationId: iteration || undefined }),
  });

/** Which tags may stand beside each other on an image of a project that allows one, or several. */
export const rulesOf = (tags: readonly Tag[], exclusive: boolean): Rules => ({
  exclusive,
  negative: tags.find((tag) => tag.type === NEGATIVE)?.id,
});

export const createTag = (project: string, name: string, type = "Regular"): Promise<Tag> =>
  call("POST", at(project), { query: { name, type } });

export const updateTag = (project: string, id: string, patch: TagPatch): Promise<Tag> =>
  call("PATCH", `${at(project)}/${id}`, { json: patch });

export const deleteTag = (project: string, id: string): Promise<void> => call("DELETE", `${at(project)}/${id}`);
