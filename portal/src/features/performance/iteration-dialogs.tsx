/** Renaming and deleting an iteration. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { iterationsKey } from "#/api/iterations.ts";
import type { Iteration } from "#/api/types.ts";
import { go } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import { done } from "#/app/undo.tsx";
import { remove, rename } from "#/features/performance/api.ts";
import { text } from "#/text/index.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Rename } from "#/ui/rename.tsx";

const words = text.performance.actions;

interface Props {
  project: string;
  iteration: Iteration;
  onClose: () => void;
}

export function RenameIteration({ project, iteration, onClose }: Props): ReactElement {
  const client = useQueryClient();
  const call = async (name: string): Promise<Iteration> => {
    const renamed = await rename(project, iteration.id, name);
    await client.invalidateQueries({ queryKey: iterationsKey(project), exact: true });
    return renamed;
  };
  const save = async (name: string): Promise<void> => {
    const renamed = await call(name);
    done(words.renamed(renamed.name), () => call(iteration.name));
  };
  return <Rename title={words.rename} label={words.name} name={iteration.name} save={save} onClose={onClose} />;
}

export function DeleteIteration({ opened, project, iteration, onClose }: Props & { opened: boolean }): ReactElement {
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => remove(project, iteration.id),
    onSuccess: async () => {
      onClose();
      go(paths.performance(project), { replace: true });
      done(words.deleted(iteration.name));
      await client.invalidateQueries({ queryKey: iterationsKey(project), exact: true });
    },
  });
  return (
    <Confirm
      opened={opened}
      title={words.deleteTitle(iteration.name)}
      action={words.delete}
      busy={deleting.isPending}
      error={deleting.error}
      onConfirm={() => deleting.mutate()}
      onClose={() => {
        deleting.reset();
        onClose();
      }}
    >
      {words.deleteHint}
    </Confirm>
  );
}
