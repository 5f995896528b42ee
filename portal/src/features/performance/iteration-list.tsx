/** The iterations of a project, newest first. */
import { Badge, Group, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { Link } from "wouter";

import { TRAINS } from "#/api/iterations.ts";
import type { Iteration } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { ago } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance;

interface Props {
  project: string;
  iterations: Iteration[];
  chosen: string | undefined;
}

export function IterationList({ project, iterations, chosen }: Props): ReactElement {
  return (
    <nav aria-label={words.iterations}>
      <Title order={2} size="h5" mb="xs">
        {words.iterations}
      </Title>
      <ul className={classes.list}>
        {iterations.map((each) => (
          <li key={each.id}>
            <Link
              href={paths.performance(project, each.id)}
              className={classes.item ?? ""}
              aria-current={each.id === chosen ? "page" : undefined}
            >
              <Group justify="space-between" wrap="nowrap" gap="xs">
                <Text size="sm" fw={600} truncate title={each.name}>
                  {each.name}
                </Text>
                <State iteration={each} />
              </Group>
              <Text size="xs" c="var(--quiet)">
                {words.kind[each.trainingType]}
                {each.trainedAt && ` · ${ago(each.trainedAt)}`}
              </Text>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** What became of an iteration, where it is not simply trained. */
export function State({ iteration }: { iteration: Iteration }): ReactElement | null {
  if (iteration.publishName) return <Badge size="sm">{words.published}</Badge>;
  if (iteration.status === TRAINS) {
    return (
      <Badge size="sm" variant="default">
        {words.training}
      </Badge>
    );
  }
  if (iteration.status === "Failed") {
    return (
      <Badge size="sm" color="red.9">
        {words.failed}
      </Badge>
    );
  }
  return null;
}

export function described(iteration: Iteration): string {
  const kind = words.kind[iteration.trainingType] ?? iteration.trainingType;
  if (!iteration.trainedAt) return kind;
  return `${kind}, ${words.minutes(iteration.trainingTimeInMinutes)} · ${ago(iteration.trainedAt)}`;
}
