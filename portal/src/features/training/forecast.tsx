/** What a training will do, in plain words, and what it may lack. */
import { List, Paper, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { get, TRAINING } from "#/api/client.ts";
import { completed, useIterations } from "#/api/iterations.ts";
import { ADVANCED } from "#/api/training.ts";
import type { Project, Tag } from "#/api/types.ts";
import { imbalanced, readiness } from "#/lib/readiness.ts";
import { text } from "#/text/index.ts";
import { Note } from "#/ui/note.tsx";

const words = text.training;
const MOST_NAMED = 5;

interface Props {
  project: Project;
  chosen: Tag[];
  /** Whether no tag was left out. */
  all: boolean;
  /** The budget; 0: Quick training. */
  hours: number;
}

export function Forecast({ project, chosen, all, hours }: Props): ReactElement {
  const count = useImageCount(project, chosen, all);
  const earlier = completed(useIterations(project.id).data).find(
    (each) => (each.trainingType === ADVANCED) === hours > 0,
  );
  return (
    <Paper bg="var(--panel)" p="sm">
      <Text size="sm" fw={600} mb={4}>
        {words.whatHappens}
      </Text>
      <Stack gap={4} fz="sm">
        <span>{words.what(count, chosen.length)}</span>
        <span>{words.judged}</span>
        {(earlier || hours > 0) && (
          <span>
            {[hours > 0 && words.lastHours(hours), earlier && words.last(earlier.name, earlier.trainingTimeInMinutes)]
              .filter(Boolean)
              .join(" ")}
          </span>
        )}
        <span>{words.background}</span>
      </Stack>
    </Paper>
  );
}

/** How many images bear the chosen tags; where an image may bear several, the sum is only an upper bound. */
function useImageCount(project: Project, chosen: Tag[], all: boolean): string {
  const tagged = useQuery({
    queryKey: ["images", project.id, "tagged-count"],
    queryFn: () => get<number>(`${TRAINING}/projects/${project.id}/images/tagged/count`),
  }).data;
  const sum = chosen.reduce((total, tag) => total + tag.imageCount, 0);
  if (project.settings.classificationType === "Multiclass") return words.images(sum);
  if (all && tagged !== undefined) return words.images(tagged);
  return words.atMost(words.images(Math.min(sum, tagged ?? sum)));
}

export function Shortages({ tags, detection }: { tags: Tag[]; detection: boolean }): ReactElement | null {
  const { needed, tagsMissing, short } = readiness(tags, detection);
  if (tagsMissing || short.length) {
    return (
      <Note title={words.notReady}>
        <List size="sm">
          {tagsMissing > 0 && <List.Item>{words.tagsMissing(tagsMissing)}</List.Item>}
          {short.slice(0, MOST_NAMED).map((tag) => (
            <List.Item key={tag.id}>{words.short(tag.name, tag.imageCount, needed)}</List.Item>
          ))}
          {short.length > MOST_NAMED && <List.Item>{words.shortMore(short.length - MOST_NAMED)}</List.Item>}
          {detection && <List.Item>{words.withBox}</List.Item>}
        </List>
      </Note>
    );
  }
  if (!imbalanced(tags.map((tag) => tag.imageCount))) return null;
  return <Note>{words.imbalanced}</Note>;
}
