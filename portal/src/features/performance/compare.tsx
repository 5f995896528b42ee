/** Two iterations side by side, over all and by tag. */
import { CloseButton, Group, Paper, Table, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";

import type { Iteration } from "#/api/types.ts";
import { useCurve, useEvaluation } from "#/features/performance/api.ts";
import type { Shown } from "#/features/performance/evaluation.tsx";
import { at } from "#/lib/curve.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";

import classes from "./performance.module.css";

const words = text.performance.compare;
const rings = text.performance.rings;

interface Figures {
  precision: number;
  recall: number;
  ap: number;
}
const KINDS = ["precision", "recall", "ap"] as const;

export function Compare({ other, onClose, ...mine }: Shown & { other: Iteration; onClose: () => void }): ReactElement {
  const evaluation = useEvaluation(mine.project.id, other.id, mine.overlap);
  const curve = useCurve(mine.project.id, other.id, mine.overlap);
  const error = evaluation.error ?? curve.error;
  const theirs = evaluation.data && curve.data && { evaluation: evaluation.data, curve: curve.data, step: mine.step };
  return (
    <Paper withBorder p="lg" component="section">
      <Group justify="space-between" wrap="nowrap">
        <Title order={2} size="h4">
          {words.title(mine.iteration.name, other.name)}
        </Title>
        <CloseButton aria-label={words.close} onClick={onClose} />
      </Group>
      <Text size="sm" c="var(--quiet)" mb="sm">
        {words.hint}
      </Text>
      {error && <Failure error={error} />}
      {!error && !theirs && <Loading />}
      {theirs && <Both mine={mine} theirs={theirs} />}
    </Paper>
  );
}

type Side = Pick<Shown, "evaluation" | "curve" | "step">;

function Both({ mine, theirs }: { mine: Side; theirs: Side }): ReactElement {
  const [ours, others] = [byTag(mine), byTag(theirs)];
  const ids = new Map([...others, ...ours].map(([id, { name }]) => [id, name]));
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={words.caption}>
      <Table miw={560}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <Text size="xs" c="var(--quiet)" fw={400}>
                {words.caption}
              </Text>
            </Table.Th>
            <Table.Th className={classes.numeric}>{rings.precision}</Table.Th>
            <Table.Th className={classes.numeric}>{rings.recall}</Table.Th>
            <Table.Th className={classes.numeric}>{rings.ap}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Row name={words.overall} mine={overall(mine)} theirs={overall(theirs)} />
          {[...ids].map(([id, name]) => (
            <Row key={id} name={name} mine={ours.get(id)?.figures} theirs={others.get(id)?.figures} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

interface RowProps {
  name: string;
  mine: Figures | undefined;
  theirs: Figures | undefined;
}

function Row({ name, mine, theirs }: RowProps): ReactElement {
  return (
    <Table.Tr>
      <Table.Th scope="row">{name}</Table.Th>
      {KINDS.map((kind) => (
        <Table.Td key={kind} className={classes.numeric}>
          {mine ? percent(mine[kind]) : words.missing} / {theirs ? percent(theirs[kind]) : words.missing}
          {mine && theirs && <Difference value={mine[kind] - theirs[kind]} />}
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

function Difference({ value }: { value: number }): ReactElement {
  const points = Math.round(value * 1000) / 10;
  const sign = points > 0 ? "+" : points < 0 ? "−" : "±";
  return (
    <Text size="xs" fw={600} c={points < 0 ? "var(--mantine-color-red-text)" : "var(--quiet)"}>
      {sign}
      {Math.abs(points).toFixed(1)}
    </Text>
  );
}

function overall({ evaluation, curve, step }: Side): Figures {
  const { precision, recall } = at(curve.overall, step);
  return { precision: precision.value, recall: recall.value, ap: evaluation.overall.averagePrecision.value };
}

function byTag({ evaluation, curve, step }: Side): Map<string, { name: string; figures: Figures }> {
  return new Map(
    curve.tags.map((tag, index) => {
      const { precision, recall } = at(tag.rates, step);
      const ap = evaluation.tags[index]?.averagePrecision.value ?? 0;
      return [tag.id, { name: tag.name, figures: { precision: precision.value, recall: recall.value, ap } }];
    }),
  );
}
