/** Publishing an iteration under a name, and taking the name back. */
import { Checkbox, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { ApiError } from "#/api/client.ts";
import { iterationsKey } from "#/api/iterations.ts";
import { useResources } from "#/api/server.ts";
import type { Iteration } from "#/api/types.ts";
import { done } from "#/app/undo.tsx";
import { publish, unpublish } from "#/features/performance/api.ts";
import { text } from "#/text/index.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Failure } from "#/ui/feedback.tsx";
import { FormButtons } from "#/ui/form-buttons.tsx";
import { Select } from "#/ui/select.tsx";

const words = text.performance.publish;
const actions = text.performance.actions;
/** What the server calls itself as a resource. */
const SERVER = "foveal";
const ASKED = ["prediction", "combined"];
const NAME_TAKEN = "BadRequestInvalidPublishName";

interface Props {
  project: string;
  iteration: Iteration;
  onClose: () => void;
}

export function Publish({ project, iteration, onClose }: Props): ReactElement {
  const [name, setName] = useState(iteration.name.toLowerCase().replaceAll(" ", "-").replaceAll("/", "-"));
  const [resource, setResource] = useState(SERVER);
  const [overwrite, setOverwrite] = useState(false);
  const client = useQueryClient();
  const read = (): Promise<void> => client.invalidateQueries({ queryKey: iterationsKey(project), exact: true });
  const resources = (useResources().data ?? []).filter((each) => ASKED.includes(each.kind));
  const publishing = useMutation({
    mutationFn: () => publish(project, iteration.id, { publishName: name, predictionId: resource, overwrite }),
    onSuccess: async () => {
      onClose();
      // Who took the name from another iteration cannot give it back in one step.
      const undo = (): Promise<void> => unpublish(project, iteration.id).then(read);
      done(words.done(name), overwrite ? undefined : undo);
      await read();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    publishing.mutate();
  };
  const taken = publishing.error instanceof ApiError && publishing.error.code === NAME_TAKEN;
  return (
    <Modal opened onClose={onClose} title={words.title}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">{words.why}</Text>
          <TextInput
            label={words.name}
            description={words.nameHint}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={128}
            data-autofocus
          />
          <Select
            label={words.resource}
            description={resource === SERVER ? undefined : words.resourceHint(resource)}
            data={[
              { value: SERVER, label: words.server },
              ...resources.map((each) => ({ value: each.resourceId, label: each.name })),
            ]}
            value={resource}
            onChange={setResource}
          />
          {publishing.error && <Failure error={publishing.error} />}
          {(taken || overwrite) && (
            <Checkbox
              label={words.overwrite}
              checked={overwrite}
              onChange={(event) => setOverwrite(event.currentTarget.checked)}
            />
          )}
          <FormButtons action={words.title} busy={publishing.isPending} error={null} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}

export function Unpublish(props: Props & { opened: boolean; name: string }): ReactElement {
  const client = useQueryClient();
  const { project, iteration, name } = props;
  const read = (): Promise<void> => client.invalidateQueries({ queryKey: iterationsKey(project), exact: true });
  const again = {
    publishName: name,
    predictionId: iteration.originalPublishResourceId ?? SERVER,
    overwrite: false,
  };
  const stopping = useMutation({
    mutationFn: () => unpublish(project, iteration.id),
    onSuccess: async () => {
      props.onClose();
      done(actions.unpublished(name), () => publish(project, iteration.id, again).then(read));
      await read();
    },
  });
  return (
    <Confirm
      opened={props.opened}
      title={actions.unpublishTitle(props.name)}
      action={actions.unpublish}
      busy={stopping.isPending}
      error={stopping.error}
      onConfirm={() => stopping.mutate()}
      onClose={props.onClose}
    >
      {actions.unpublishHint}
    </Confirm>
  );
}
