/** The deletion of a project, once its name has been typed. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { call, TRAINING } from "#/api/client.ts";
import type { Project } from "#/api/types.ts";
import { go } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import { done } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";
import { Failure } from "#/ui/feedback.tsx";
import { Section } from "#/ui/section.tsx";

const words = text.settings;

export function DeleteProject({ project }: { project: Project }): ReactElement {
  const [typed, setTyped] = useState("");
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => call("DELETE", `${TRAINING}/projects/${project.id}`),
    onSuccess: async () => {
      go(paths.projects);
      done(words.deleted(project.name));
      await client.invalidateQueries({ queryKey: ["projects"], exact: true });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    remove.mutate();
  };
  return (
    <Section title={words.delete} why={words.deleteWhy}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label={words.deleteConfirm(project.name)} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" />
          {remove.error && <Failure error={remove.error} />}
          <Group justify="flex-end">
            <Button type="submit" color="red.9" disabled={typed !== project.name} loading={remove.isPending}>
              {words.delete}
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
