/** What was taken for what; each cell opens the images behind it. */
import { Table, Text, UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";

import { useQueryValues } from "#/app/location.ts";
import type { Shown } from "#/features/performance/evaluation.tsx";
import { counted } from "#/features/performance/tag-table.tsx";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.confusion;

export function ConfusionTable({ evaluation }: Shown): ReactElement {
  const { confusion, tags } = evaluation;
  if (!confusion) return <Text>{words.none}</Text>;
  const names = confusion.tagIds.map((id) => tags.find((tag) => tag.id === id)?.name ?? id);
  return (
    <div>
      <Text size="sm" c="var(--quiet)" mb="sm">
        {words.caption} {words.hint}
      </Text>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label={words.caption}>
        <Table w="auto" withRowBorders={false} horizontalSpacing={4} verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Td c="var(--quiet)" fz="xs">
                {words.corner}
              </Table.Td>
              {names.map((name) => (
                <Table.Th key={name} ta="center" maw={120} style={{ overflowWrap: "anywhere" }}>
                  {name}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {confusion.rows.map((row, at) => (
              <Table.Tr key={confusion.tagIds[at]}>
                <Table.Th scope="row" maw={160} pr="sm" style={{ overflowWrap: "anywhere" }}>
                  {names[at]}
                </Table.Th>
                {row.map((count, to) => (
                  <Table.Td key={confusion.tagIds[to]} p={2}>
                    <Cell count={count} share={share(row, count)} right={at === to} at={[at, to]} evaluation={evaluation} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </div>
  );
}

const share = (row: number[], count: number): number => count / Math.max(1e-9, row.reduce((sum, each) => sum + each, 0));

interface CellProps {
  count: number;
  share: number;
  right: boolean;
  /** Row and column. */
  at: [number, number];
  evaluation: Shown["evaluation"];
}

function Cell({ count, share: filled, right, at: [row, column], evaluation }: CellProps): ReactElement {
  const [, setQuery] = useQueryValues();
  const [truth, said] = [evaluation.tags[row], evaluation.tags[column]];
  if (!count || !truth || !said) {
    return (
      <Text ta="center" size="sm" c="var(--quiet)">
        0
      </Text>
    );
  }
  const colour = right ? "var(--mantine-color-teal-filled)" : "var(--mantine-color-red-filled)";
  return (
    <UnstyledButton
      className={classes.cell}
      fz="sm"
      aria-label={words.open(counted(count), truth.name, said.name)}
      style={{ background: `color-mix(in srgb, ${colour} ${Math.round(8 + filled * 27)}%, transparent)` }}
      onClick={() => setQuery({ view: "mistakes", true: truth.id, said: said.id, cell: "yes" })}
    >
      {counted(count)}
    </UnstyledButton>
  );
}
