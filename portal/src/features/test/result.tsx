/** What an iteration says of one picture. */
import { Alert, Group, Slider, Text, Title } from "@mantine/core";
import { type ReactElement, useMemo } from "react";

import type { Answer, Picture } from "#/features/test/pictures.ts";
import { duration, percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import { Swatch } from "#/ui/canvas/tag-field.tsx";
import type { Ghost, Looks } from "#/ui/canvas/types.ts";
import { Scores } from "#/ui/scores.tsx";

import rows from "#/ui/canvas/tags.module.css";
import classes from "./test.module.css";

const words = text.test;

interface Props {
  picture: Picture;
  answer: Answer;
  looks: Looks;
  /** Undefined for a classifier. */
  boxes: { shown: readonly Ghost[]; threshold: number; setThreshold: (value: number) => void } | undefined;
}

export function Result({ picture, answer, looks, boxes }: Props): ReactElement {
  return (
    <section aria-label={words.result} className={classes.result}>
      <Title order={2} size="h5" lineClamp={2} style={{ overflowWrap: "anywhere" }}>
        {picture.name}
      </Title>
      {answer.isUnknown && <Alert color="yellow">{words.unknown(percent(answer.unknown ?? 1, 0))}</Alert>}
      {boxes ? <Found {...boxes} looks={looks} /> : <Scores label={words.result} predictions={answer.predictions} looks={looks} />}
      <Text size="xs" c="var(--quiet)">
        {words.took(duration(answer.seconds))}
      </Text>
      {picture.note && (
        <Text size="xs" c="var(--quiet)">
          {picture.note}
        </Text>
      )}
    </section>
  );
}

function Found({ shown, threshold, setThreshold, looks }: NonNullable<Props["boxes"]> & { looks: Looks }): ReactElement {
  const groups = useMemo(() => grouped(shown), [shown]);
  return (
    <>
      <div>
        <Text size="sm">{words.from(percent(threshold, 0))}</Text>
        <Slider min={0.01} max={0.99} step={0.01} value={threshold} onChange={setThreshold} thumbLabel={words.threshold} />
      </div>
      {shown.length === 0 && (
        <Text size="sm" c="var(--quiet)">
          {words.noBoxes}
        </Text>
      )}
      {groups.map(([tagId, of]) => (
        <div key={tagId}>
          <Group gap={8} wrap="nowrap">
            <Swatch colour={lookOf(looks, tagId).colour.fill} />
            <Text size="sm" fw={600} truncate>
              {lookOf(looks, tagId).name}
            </Text>
            <Text size="sm" c="var(--quiet)">
              {words.boxes(of.length)}
            </Text>
          </Group>
          <Text size="sm" className={rows.count} pl={20}>
            {of.map((ghost) => percent(ghost.probability, 0)).join(" · ")}
          </Text>
        </div>
      ))}
    </>
  );
}

function grouped(ghosts: readonly Ghost[]): [string, Ghost[]][] {
  const groups = new Map<string, Ghost[]>();
  for (const ghost of ghosts) groups.set(ghost.tagId, [...(groups.get(ghost.tagId) ?? []), ghost]);
  return [...groups];
}
