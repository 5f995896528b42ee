/** How far a training is: stage, bar, what is left, and its log. */
import { Button, Collapse, Group, Progress, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { iterationsKey } from "#/api/iterations.ts";
import { cancelTraining, useProgress } from "#/api/training.ts";
import type { Iteration, Progress as Told } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { duration, moment } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Failure } from "#/ui/feedback.tsx";

const words = text.training.progress;

export function TrainingProgress({ project, iteration }: { project: string; iteration: Iteration }): ReactElement {
  const told = useProgress(project, iteration.id);
  const may = useMay("train");
  if (told.isError) return <Failure error={told.error} />;
  const share = (told.data?.progress ?? 0) * 100;
  return (
    <Stack gap="xs">
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" style={{ overflowWrap: "anywhere" }} aria-live="polite">
          {capital(told.data?.stage ?? text.common.loading)}
        </Text>
        <Text size="sm" fw={600} style={{ fontVariantNumeric: "tabular-nums" }}>
          {Math.floor(share)} %
        </Text>
      </Group>
      <Progress.Root size="md">
        <Progress.Section value={share} aria-label={words.bar} animated />
      </Progress.Root>
      {told.data && <Details told={told.data} />}
      {may && <Cancel project={project} iteration={iteration} />}
    </Stack>
  );
}

/** The server writes stages as parts of a sentence. */
const capital = (stage: string): string => stage.charAt(0).toUpperCase() + stage.slice(1);

function Details({ told }: { told: Told }): ReactElement {
  const [opened, { toggle }] = useDisclosure(false);
  const { secondsLeft, bestScore } = told.details;
  const lines = [
    told.ahead > 0 && words.ahead(told.ahead),
    told.attempts > 1 && words.attempts(told.attempts),
    typeof bestScore === "number" && words.best(bestScore.toFixed(3)),
    typeof secondsLeft === "number" && words.left(duration(secondsLeft)),
  ].filter((line) => typeof line === "string");
  return (
    <>
      {lines.length > 0 && (
        <Text size="sm" c="var(--quiet)">
          {lines.join(" ")}
        </Text>
      )}
      {told.log.length > 0 && (
        <div>
          <UnstyledButton onClick={toggle} aria-expanded={opened} fz="sm" td="underline">
            {words.log}
          </UnstyledButton>
          <Collapse expanded={opened}>
            <Log told={told} />
          </Collapse>
        </div>
      )}
    </>
  );
}

function Log({ told }: { told: Told }): ReactElement {
  return (
    <Stack component="ol" gap={4} mt="xs" p={0} m={0} style={{ listStyle: "none", maxHeight: 220, overflowY: "auto" }} tabIndex={0} aria-label={words.log}>
      {told.log.map((line) => (
        <Text key={line.at + line.text} component="li" size="xs" ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {moment(line.at).toLocaleTimeString("en")} {line.text}
        </Text>
      ))}
    </Stack>
  );
}

function Cancel({ project, iteration }: { project: string; iteration: Iteration }): ReactElement {
  const [asking, { open, close }] = useDisclosure(false);
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelTraining(project, iteration.id),
    onSuccess: async () => {
      close();
      await client.invalidateQueries({ queryKey: iterationsKey(project) });
    },
  });
  return (
    <Group>
      <Button size="compact-sm" variant="default" onClick={open}>
        {words.cancel}
      </Button>
      <Confirm
        opened={asking}
        title={words.cancelTitle}
        action={words.cancel}
        busy={cancel.isPending}
        error={cancel.error}
        onConfirm={() => cancel.mutate()}
        onClose={close}
      >
        {words.cancelHint}
      </Confirm>
    </Group>
  );
}
