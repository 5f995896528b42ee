/** The button that opens the train dialog, in the header of a project; while a training runs, it shows how far it is. */
import { Anchor, Button, Popover, RingProgress, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { lazy, type ReactElement, Suspense, useEffect, useRef } from "react";
import { Link } from "wouter";

import { COMPLETED, TRAINS, useIterations } from "#/api/iterations.ts";
import { useProgress } from "#/api/training.ts";
import type { Iteration } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay, useServer } from "#/app/session.tsx";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { TrainingProgress } from "#/ui/training-progress.tsx";

const words = text.training;
const TrainDialog = lazy(() => import("#/features/training/train-dialog.tsx"));

export function TrainButton({ project }: PageProps): ReactElement {
  const iterations = useIterations(project.id).data;
  const running = iterations?.find((each) => each.status === TRAINS);
  useEndTold(iterations);
  return running ? <Running project={project.id} iteration={running} /> : <Begin project={project} />;
}

function Begin({ project }: PageProps): ReactElement {
  const [opened, { open, close }] = useDisclosure(false);
  const may = useMay("train");
  const { role } = useServer();
  return (
    <>
      <Tooltip label={text.common.notAllowed(role, text.common.may.train ?? "")} disabled={may}>
        <Button leftSection={<Icon name="play" size={16} />} onClick={open} disabled={!may}>
          {words.train}
        </Button>
      </Tooltip>
      {opened && (
        <Suspense>
          <TrainDialog project={project} onClose={close} />
        </Suspense>
      )}
    </>
  );
}

function Running({ project, iteration }: { project: string; iteration: Iteration }): ReactElement {
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

/** Tell when a training that ran while one looked has ended, wherever in the project one is. */
function useEndTold(iterations: Iteration[] | undefined): void {
  const ran = useRef("");
  useEffect(() => {
    const ended = iterations?.find((each) => each.id === ran.current && each.status !== TRAINS);
    if (ended) {
      const good = ended.status === COMPLETED;
      notifications.show({
        color: good ? "teal" : "red",
        title: good ? words.progress.completed(ended.name) : words.progress.failed(ended.name),
        message: ended.trainingErrorDetails,
        closeButtonProps: { "aria-label": text.common.close },
      });
    }
    ran.current = iterations?.find((each) => each.status === TRAINS)?.id ?? "";
  }, [iterations]);
}
