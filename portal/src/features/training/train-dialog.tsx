/** The dialog that begins a training: how thoroughly, with which tags, and what will come of it. */
import { Button, Checkbox, Group, Modal, Slider, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { ApiError } from "#/api/client.ts";
import { iterationsKey } from "#/api/iterations.ts";
import { useTags } from "#/api/tags.ts";
import { ADVANCED, NOT_NEEDED, train } from "#/api/training.ts";
import type { Tag } from "#/api/types.ts";
import { go } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useServer } from "#/app/session.tsx";
import { done } from "#/app/undo.tsx";
import { Forecast, Shortages } from "#/features/training/forecast.tsx";
import { TagChoice } from "#/features/training/tag-choice.tsx";
import { text } from "#/text/index.ts";
import { Choices } from "#/ui/choices.tsx";
import { Failure, Loading } from "#/ui/feedback.tsx";
import { Note } from "#/ui/note.tsx";

const words = text.training;
const MOST_HOURS = 24;

export default function TrainDialog({ project, onClose }: PageProps & { onClose: () => void }): ReactElement {
  const tags = useTags(project.id);
  return (
    <Modal opened onClose={onClose} title={words.title} size="lg">
      {tags.isPending && <Loading />}
      {tags.isError && <Failure error={tags.error} retry={() => void tags.refetch()} />}
      {tags.data && <Form project={project} tags={tags.data} onClose={onClose} />}
    </Modal>
  );
}

function Form({ project, tags, onClose }: PageProps & { tags: Tag[]; onClose: () => void }): ReactElement {
  const [type, setType] = useState("Regular");
  const [hours, setHours] = useState(1);
  const [email, setEmail] = useState("");
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [force, setForce] = useState(false);
  const client = useQueryClient();
  const { trainsAdvanced } = useServer();
  const chosen = tags.filter((tag) => !left.has(tag.id));
  const detection = !project.settings.classificationType;
  const begin = useMutation({
    mutationFn: () =>
      train(project.id, {
        trainingType: type,
        reservedBudgetInHours: hours,
        notificationEmailAddress: email.trim(),
        selectedTags: left.size ? chosen.map((tag) => tag.id) : [],
        forceTrain: force,
      }),
    onSuccess: async (iteration) => {
      await client.invalidateQueries({ queryKey: iterationsKey(project.id) });
      done(words.begun(iteration.name));
      onClose();
      go(paths.performance(project.id, iteration.id));
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    begin.mutate();
  };
  const unneeded = begin.error instanceof ApiError && begin.error.code.startsWith(NOT_NEEDED);
  return (
    <form onSubmit={submit}>
      <Stack>
        <Choices label={words.kindLabel} value={type} onChange={setType} choices={words.kinds} />
        {(type === ADVANCED || detection) && !trainsAdvanced && <Note>{words.needsTorch}</Note>}
        {type === ADVANCED && <Budget {...{ hours, setHours, email, setEmail }} />}
        <TagChoice tags={tags} left={left} onChange={setLeft} />
        <Forecast project={project} chosen={chosen} all={left.size === 0} hours={type === ADVANCED ? hours : 0} />
        <Shortages tags={chosen} detection={detection} />
        {begin.error && <Failure error={begin.error} />}
        {(unneeded || force) && (
          <Checkbox
            label={words.force}
            description={words.forceHint}
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {text.common.cancel}
          </Button>
          <Button type="submit" loading={begin.isPending} disabled={chosen.length === 0}>
            {words.start}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface BudgetProps {
  hours: number;
  setHours: (hours: number) => void;
  email: string;
  setEmail: (email: string) => void;
}

function Budget({ hours, setHours, email, setEmail }: BudgetProps): ReactElement {
  return (
    <>
      <div>
        <Group justify="space-between">
          <Text size="sm" fw={500}>
            {words.budget}
          </Text>
          <Text size="sm" fw={600}>
            {hours}
          </Text>
        </Group>
        <Text size="xs" c="var(--quiet)" mb="xs">
          {words.budgetHint}
        </Text>
        <Slider
          min={1}
          max={MOST_HOURS}
          value={hours}
          onChange={setHours}
          thumbLabel={words.budget}
          marks={[1, 6, 12, 18, MOST_HOURS].map((value) => ({ value, label: value }))}
          mb="lg"
          mx="xs"
        />
      </div>
      <TextInput
        type="email"
        label={words.email}
        description={words.emailHint}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
    </>
  );
}
