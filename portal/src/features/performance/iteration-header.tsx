/** The name of an iteration and what can be done with it. */
import { ActionIcon, Button, Group, Menu, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactElement, ReactNode } from "react";

import { COMPLETED, TRAINS } from "#/api/iterations.ts";
import type { Iteration } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay } from "#/app/session.tsx";
import { DeleteIteration, RenameIteration } from "#/features/performance/iteration-dialogs.tsx";
import { described, State } from "#/features/performance/iteration-list.tsx";
import { PredictionUrl } from "#/features/performance/prediction-url.tsx";
import { Publish, Unpublish } from "#/features/performance/publish.tsx";
import { date } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";

const words = text.performance.actions;

interface Props extends PageProps {
  iteration: Iteration;
  all: Iteration[];
  exporter: (iteration: Iteration) => ReactNode;
}

export function IterationHeader({ project, iteration, all, exporter }: Props): ReactElement {
  const trained = iteration.status === COMPLETED;
  return (
    <Group justify="space-between" align="flex-start">
      <div>
        <Group gap="sm">
          <Title order={1} size="h2">
            {iteration.name}
          </Title>
          <State iteration={iteration} />
        </Group>
        <Text size="sm" c="var(--quiet)">
          {described(iteration)}
          {iteration.trainedAt && ` (${date(iteration.trainedAt)})`}
        </Text>
      </div>
      <Group gap="xs">
        {trained && <Publishing project={project} iteration={iteration} />}
        {trained && exporter(iteration)}
        <More project={project.id} iteration={iteration} all={all} />
      </Group>
    </Group>
  );
}

function Publishing({ project, iteration }: PageProps & { iteration: Iteration }): ReactElement {
  const [publishing, publish] = useDisclosure(false);
  const [stopping, stop] = useDisclosure(false);
  const [asking, url] = useDisclosure(false);
  const may = useMay("publish");
  const name = iteration.publishName;
  return (
    <>
      {name === null ? (
        may && (
          <Button leftSection={<Icon name="publish" size={16} />} onClick={publish.open}>
            {words.publish}
          </Button>
        )
      ) : (
        <>
          <Button leftSection={<Icon name="play" size={16} />} onClick={url.open}>
            {words.url}
          </Button>
          {may && (
            <Button variant="default" onClick={stop.open}>
              {words.unpublish}
            </Button>
          )}
          <PredictionUrl opened={asking} onClose={url.close} project={project} iteration={iteration} name={name} />
          <Unpublish opened={stopping} onClose={stop.close} project={project.id} iteration={iteration} name={name} />
        </>
      )}
      {publishing && <Publish onClose={publish.close} project={project.id} iteration={iteration} />}
    </>
  );
}

function More({ project, iteration, all }: { project: string; iteration: Iteration; all: Iteration[] }): ReactElement {
  const [renaming, rename] = useDisclosure(false);
  const [deleting, remove] = useDisclosure(false);
  const [, setQuery] = useQueryValues();
  const may = useMay("train");
  const others = all.filter((each) => each.status === COMPLETED && each.id !== iteration.id);
  return (
    <>
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <ActionIcon size="lg" variant="default" aria-label={`${text.common.more}: ${iteration.name}`}>
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {iteration.status === COMPLETED && (
            <Menu.Sub>
              <Menu.Sub.Target>
                <Menu.Sub.Item disabled={!others.length}>
                  {others.length ? words.compare : words.noCompare}
                </Menu.Sub.Item>
              </Menu.Sub.Target>
              <Menu.Sub.Dropdown mah={320} style={{ overflowY: "auto" }}>
                {others.map((each) => (
                  <Menu.Item key={each.id} onClick={() => setQuery({ compare: each.id })}>
                    {each.name}
                  </Menu.Item>
                ))}
              </Menu.Sub.Dropdown>
            </Menu.Sub>
          )}
          <Menu.Item leftSection={<Icon name="edit" size={16} />} disabled={!may} onClick={rename.open}>
            {words.rename}
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="trash" size={16} />}
            disabled={!may || iteration.status === TRAINS}
            onClick={remove.open}
          >
            {words.delete}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {renaming && <RenameIteration project={project} iteration={iteration} onClose={rename.close} />}
      <DeleteIteration project={project} iteration={iteration} opened={deleting} onClose={remove.close} />
    </>
  );
}
