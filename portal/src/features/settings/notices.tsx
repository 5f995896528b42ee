/** Where other programs hear of trainings and exports, and get the exported models. */
import { Button, Group, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { call, TRAINING } from "#/api/client.ts";
import { projectKey } from "#/api/projects.ts";
import type { Project } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { done } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";
import { Failure } from "#/ui/feedback.tsx";
import { Section } from "#/ui/section.tsx";

const words = text.settings.notices;

export function Notices({ project }: { project: Project }): ReactElement {
  const [queue, setQueue] = useState(project.settings.notificationQueueUri ?? "");
  const [container, setContainer] = useState(project.settings.exportModelContainerUri ?? "");
  const client = useQueryClient();
  const readOnly = !useMay("train");
  const save = useMutation({
    mutationFn: () =>
      call<Project>("PATCH", `${TRAINING}/projects/${project.id}`, {
        json: { settings: { notificationQueueUri: queue.trim(), exportModelContainerUri: container.trim() } },
      }),
    onSuccess: (kept) => {
      client.setQueryData(projectKey(project.id), kept);
      // Of signatures only stars come back.
      setQueue(kept.settings.notificationQueueUri ?? "");
      setContainer(kept.settings.exportModelContainerUri ?? "");
      done(text.settings.saved);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section title={words.title} why={words.why}>
      <form onSubmit={submit}>
        <TextInput
          label={words.queue}
          description={words.queueHint}
          value={queue}
          onChange={(event) => setQueue(event.currentTarget.value)}
          readOnly={readOnly}
        />
        <TextInput
          label={words.container}
          description={words.containerHint}
          value={container}
          onChange={(event) => setContainer(event.currentTarget.value)}
          readOnly={readOnly}
          my="sm"
        />
        {save.error && <Failure error={save.error} />}
        {!readOnly && (
          <Group justify="flex-end" mt="sm">
            <Button type="submit" variant="default" loading={save.isPending}>
              {words.save}
            </Button>
          </Group>
        )}
      </form>
    </Section>
  );
}
