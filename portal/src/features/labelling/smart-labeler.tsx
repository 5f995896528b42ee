/** The Smart Labeler: asks a trained iteration about untagged images, then gives its answers for review. */
import { Button, Card, Group, NumberInput, Progress, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useRef, useState } from "react";
import { Link } from "wouter";

import { imageCount, imagesKey, parts, takes } from "#/api/images.ts";
import { completed, useIterations } from "#/api/iterations.ts";
import { suggest } from "#/api/regions.ts";
import { BATCH, labellingKey, suggestedIds } from "#/api/suggestions.ts";
import type { Iteration, Project } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import { ReviewQueue } from "#/features/labelling/review-queue.tsx";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Empty, Loading } from "#/ui/feedback.tsx";
import { Select } from "#/ui/select.tsx";

const words = text.labelling;
const USUAL = 100;

export function SmartLabeler({ project, detection }: { project: Project; detection: boolean }): ReactElement {
  const iterations = useIterations(project.id);
  const [chosen, setChosen] = useState<string | null>(null);
  const ready = completed(iterations.data);
  const iteration = ready.find((each) => each.id === chosen) ?? ready[0];
  if (iterations.isPending) return <Loading />;
  if (!iteration) {
    return (
      <Empty
        icon="sparkle"
        title={words.needsModel}
        action={
          <Button component={Link} href={paths.performance(project.id)}>
            {words.toPerformance}
          </Button>
        }
      >
        {words.needsModelWhy}
      </Empty>
    );
  }
  return (
    <Stack>
      <Text c="var(--quiet)">{words.smartWhy}</Text>
      <Card withBorder>
        <Group align="flex-end">
          <Select
            label={words.iteration}
            data={ready.map((each) => ({ value: each.id, label: each.name }))}
            value={iteration.id}
            onChange={setChosen}
          />
          <Ask key={iteration.id} project={project} iteration={iteration} />
        </Group>
      </Card>
      <ReviewQueue key={iteration.id} project={project} iteration={iteration} detection={detection} />
    </Stack>
  );
}

function Ask({ project, iteration }: { project: Project; iteration: Iteration }): ReactElement | null {
  const client = useQueryClient();
  const left = useQuery({
    queryKey: [...labellingKey(project.id), "left", iteration.id],
    queryFn: async () => {
      const [untagged, seen] = await Promise.all([
        imageCount(project.id, { status: "Untagged" }),
        suggestedIds(project.id, iteration.id),
      ]);
      return Math.max(0, untagged - seen.size);
    },
  }).data;
  const [wanted, setWanted] = useState<number | string>(USUAL);
  const [progress, setProgress] = useState<{ done: number; all: number } | null>(null);
  const control = useRef<AbortController | null>(null);
  if (!useMay("label")) return null;
  const most = Math.min(Number(wanted) || 0, left ?? 0);
  const begin = async (): Promise<void> => {
    control.current = new AbortController();
    const { signal } = control.current;
    setProgress({ done: 0, all: most });
    try {
      const ids = await unseen(project.id, iteration.id, most);
      let done = 0;
      for (const part of parts(ids, BATCH)) {
        await suggest(project.id, iteration.id, part, signal);
        done += part.length;
        setProgress({ done, all: ids.length });
        await client.invalidateQueries({ queryKey: [...labellingKey(project.id), "queue"] });
      }
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      setProgress(null);
      await client.invalidateQueries({ queryKey: labellingKey(project.id) });
      await client.invalidateQueries({ queryKey: imagesKey(project.id) });
    }
  };
  if (progress) {
    return (
      <Group flex={1} miw={260}>
        <Stack gap={4} flex={1}>
          <Text size="sm" role="status">
            {words.progress(count(progress.done), count(progress.all))}
          </Text>
          <Progress value={progress.all ? (progress.done / progress.all) * 100 : 0} aria-label={words.get} animated />
        </Stack>
        <Button variant="default" onClick={() => control.current?.abort()}>
          {words.stop}
        </Button>
      </Group>
    );
  }
  return (
    <>
      <NumberInput
        label={words.howMany}
        description={left === undefined ? undefined : words.howManyHint(count(left))}
        inputWrapperOrder={["label", "input", "description"]}
        value={wanted}
        onChange={setWanted}
        min={1}
        max={Math.max(1, left ?? 1)}
        clampBehavior="blur"
      />
      <Button disabled={!most} onClick={() => void begin()}>
        {words.get}
      </Button>
    </>
  );
}

/** Untagged images without a kept suggestion, newest first. */
async function unseen(project: string, iteration: string, most: number): Promise<string[]> {
  const seen = await suggestedIds(project, iteration);
  const ids: string[] = [];
  for await (const images of takes(project, { status: "Untagged" })) {
    ids.push(...images.map((image) => image.id).filter((id) => !seen.has(id)));
    if (ids.length >= most) break;
  }
  return ids.slice(0, most);
}
