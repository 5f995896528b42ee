/** The button of a project while a training runs: how far it is, and on demand all of it. */
import { Anchor, Button, Popover, RingProgress, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactElement } from "react";
import { Link } from "wouter";

import { useProgress } from "#/api/training.ts";
import type { Iteration } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { text } from "#/text/index.ts";
import { TrainingProgress } from "#/ui/training-progress.tsx";

const words = text.training;

export default function Running({ project, iteration }: { project: string; iteration: Iteration }): ReactElement {
  const [opened, { toggle, close }] = useDisclosure(false);
  const share = Math.floor((useProgress(project, iteration.id).data?.progress ?? 0) * 100);
  const ring = <RingProgress size={22} thickness={3} sections={[{ value: share, color: "teal" }]} aria-hidden />;
  return (
    <Popover opened={opened} onChange={close} width={320} position="bottom-end" withArrow trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={ring} onClick={toggle} aria-label={words.progress.button(share)}>
          {share} %
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={words.progress.title(iteration.name)}>
        <Stack gap="sm">
          <Text fw={600}>{words.progress.title(iteration.name)}</Text>
          <TrainingProgress project={project} iteration={iteration} />
          <Anchor component={Link} href={paths.performance(project, iteration.id)} onClick={close} size="sm">
            {words.progress.details}
          </Anchor>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
