/** The button that opens the train dialog, in the header of a project; while a training runs, it shows how far it is. */
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactElement, useEffect, useRef } from "react";

import { COMPLETED, TRAINS, useIterations } from "#/api/iterations.ts";
import type { Iteration } from "#/api/types.ts";
import { tell } from "#/app/messages.tsx";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay, useServer } from "#/app/session.tsx";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { later } from "#/ui/later.tsx";

const words = text.training;
const TrainDialog = later(() => import("#/features/training/train-dialog.tsx"));
const Running = later(() => import("#/features/training/running.tsx"));

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
      <span data-hint={may ? undefined : text.common.notAllowed(role, text.common.may.train ?? "")}>
        <Button leftSection={<Icon name="play" size={16} />} onClick={open} disabled={!may}>
          {words.train}
        </Button>
      </span>
      {opened && <TrainDialog project={project} onClose={close} />}
    </>
  );
}

/** Tell when a training that ran while one looked has ended, wherever in the project one is. */
function useEndTold(iterations: Iteration[] | undefined): void {
  const ran = useRef("");
  useEffect(() => {
    const ended = iterations?.find((each) => each.id === ran.current && each.status !== TRAINS);
    if (ended) {
      const good = ended.status === COMPLETED;
      tell({
        color: good ? "teal" : "red",
        title: good ? words.progress.completed(ended.name) : words.progress.failed(ended.name),
        message: ended.trainingErrorDetails,
      });
    }
    ran.current = iterations?.find((each) => each.status === TRAINS)?.id ?? "";
  }, [iterations]);
}
