/** The precision-recall curve, with the point of the slider; or its numbers as a table. */
import { Group, Switch, Table, Text, Title } from "@mantine/core";
import { type ReactElement, useState } from "react";

import type { RatesLine } from "#/api/types.ts";
import { SIZE, SquareChart } from "#/features/performance/square-chart.tsx";
import type { Shown } from "#/features/performance/evaluation.tsx";
import { at, path, tradeoff } from "#/lib/curve.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Select } from "#/ui/select.tsx";

import classes from "./performance.module.css";

const words = text.performance.tradeoff;
const rings = text.performance.rings;
const ROWS = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

export function Tradeoff({ curve, step }: Shown): ReactElement {
  const [tag, setTag] = useState("");
  const [table, setTable] = useState(false);
  const rates = curve.tags.find((each) => each.id === tag)?.rates ?? curve.overall;
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {words.title}
        </Title>
        <Switch label={words.table} checked={table} onChange={(event) => setTable(event.currentTarget.checked)} />
      </Group>
      <Text size="sm" c="var(--quiet)" mb="sm">
        {words.hint}
      </Text>
      <Select
        label={words.which}
        maw={280}
        mb="md"
        data={[{ value: "", label: words.all }, ...curve.tags.map((each) => ({ value: each.id, label: each.name }))]}
        value={tag}
        onChange={setTag}
      />
      {table ? <Numbers rates={rates} step={step} /> : <Chart rates={rates} step={step} />}
    </section>
  );
}

function Chart({ rates, step }: { rates: RatesLine; step: number }): ReactElement {
  const points = tradeoff(rates);
  const now = points.find((point) => point.step === step);
  const { precision, recall } = at(rates, step);
  const label = words.label(percent(precision.value), percent(recall.value));
  return (
    <SquareChart label={`${words.title}. ${label}.`} across={rings.recall} up={rings.precision}>
      <path className={classes.curve} d={path(points, SIZE)} />
      {now && <circle className={classes.dot} cx={now.x * SIZE} cy={(1 - now.y) * SIZE} r={7} />}
    </SquareChart>
  );
}

function Numbers({ rates, step }: { rates: RatesLine; step: number }): ReactElement {
  const rows = ROWS.includes(step) ? ROWS : [...ROWS, step].toSorted((one, other) => one - other);
  return (
    <Table maw={420}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{words.threshold}</Table.Th>
          <Table.Th className={classes.numeric}>{rings.precision}</Table.Th>
          <Table.Th className={classes.numeric}>{rings.recall}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((each) => {
          const { precision, recall } = at(rates, each);
          return (
            <Table.Tr key={each} fw={each === step ? 650 : undefined} aria-current={each === step || undefined}>
              <Table.Th scope="row" fw="inherit">
                {each} %
              </Table.Th>
              <Table.Td className={classes.numeric}>{percent(precision.value)}</Table.Td>
              <Table.Td className={classes.numeric}>{percent(recall.value)}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
