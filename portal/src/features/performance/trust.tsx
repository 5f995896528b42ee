/** Whether probabilities mean what they say. */
import { Group, Table, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";

import type { Calibration, Evaluation } from "#/api/types.ts";
import { path } from "#/lib/curve.ts";
import { percent } from "#/lib/format.ts";
import { SIZE, SquareChart } from "#/features/performance/square-chart.tsx";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.trust;
/** How far above luck an error is still as good as luck. */
const AS_GOOD = 1.25;

export function Trust({ evaluation: { calibration } }: { evaluation: Evaluation }): ReactElement {
  const { error, byChance, errorBefore } = calibration;
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        {words.title}
      </Title>
      <Text size="sm" mb={4}>
        {words.error(percent(error), percent(byChance))} {error <= byChance * AS_GOOD && words.asGood}{" "}
        {errorBefore !== null && words.before(percent(errorBefore))}
      </Text>
      <Text size="sm" c="var(--quiet)" mb="md">
        {words.hint}
      </Text>
      <Group align="flex-start" gap="xl">
        <Chart calibration={calibration} />
        <Numbers calibration={calibration} />
      </Group>
    </section>
  );
}

function Chart({ calibration: { bins } }: { calibration: Calibration }): ReactElement {
  const points = bins.map((bin) => ({ x: bin.confidence, y: bin.accuracy }));
  return (
    <SquareChart label={words.title} across={words.confidence} up={words.accuracy} maxWidth={340}>
      <line className={classes.ideal} x1={0} y1={SIZE} x2={SIZE} y2={0} />
      <path className={classes.curve} d={path(points, SIZE)} />
      {points.map((point, at) => (
        <circle key={at} className={classes.dot} cx={point.x * SIZE} cy={(1 - point.y) * SIZE} r={5} />
      ))}
    </SquareChart>
  );
}

function Numbers({ calibration: { bins } }: { calibration: Calibration }): ReactElement {
  return (
    <Table w="auto">
      <Table.Thead>
        <Table.Tr>
          {[words.confidence, words.accuracy, words.count].map((each) => (
            <Table.Th key={each} className={classes.numeric}>
              {each}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {bins.map((bin, at) => (
          <Table.Tr key={at}>
            <Table.Td className={classes.numeric}>{percent(bin.confidence)}</Table.Td>
            <Table.Td className={classes.numeric}>{percent(bin.accuracy)}</Table.Td>
            <Table.Td className={classes.numeric}>{bin.count}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
