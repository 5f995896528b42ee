/** The upload of a project, as it goes on. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";

import { imagesKey } from "#/api/images.ts";
import { tagsKey } from "#/api/tags.ts";
import { subscribe, type Upload, uploadOf } from "#/features/images/upload/uploads.ts";

export const useUpload = (project: string): Upload | undefined =>
  useSyncExternalStore(subscribe, () => uploadOf(project));

/** Return what to call when images came: lists and counts are read anew. */
export function useArrived(project: string): () => void {
  const client = useQueryClient();
  return useCallback(() => {
    void client.invalidateQueries({ queryKey: imagesKey(project) });
    void client.invalidateQueries({ queryKey: tagsKey(project) });
    void client.invalidateQueries({ queryKey: ["projects"] });
  }, [client, project]);
}
