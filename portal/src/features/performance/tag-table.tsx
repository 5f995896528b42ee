/** The figures of each tag at the threshold, in an order of one's choice; counts open the images behind them. */
import { Badge, Group, Table, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { type ReactElement, type ReactNode, useState } from "react";

import { NEGATIVE } from "#/api/tags.ts";
import type { TagEvaluation } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import { TOO_FEW } from "#/features/performance/api.ts";
import type { Shown } from "#/features/performance/evaluation.tsx";
import { at, type Step } from "#/lib/curve.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.table;

interface Row {
  tag: TagEvaluation;
  now: Step;
}

/** What can be sorted by, in the order of the columns; images stand for objects where those are counted. */
const COLUMNS = ["tag", "images", "precision", "recall", "ap", "wrong", "missed"] as const;
type Column = (typeof COLUMNS)[number];
const VALUES: Record<Column, (row: Row) => number | string> = {
  tag: ({ tag }) => tag.name.toLowerCase(),
  images: ({ tag }) => tag.images,
  precision: ({ now }) => now.precision.value,
  recall: ({ now }) => now.recall.value,
  ap: ({ tag }) => tag.averagePrecision.value,
  wrong: ({ now }) => now.wrong,
  missed: ({ now }) => now.missed,
};

export function TagTable({ evaluation, curve, step, detection }: Shown): ReactElement {
  const [order, setOrder] = useState<{ by: Column; up: boolean } | null>(null);
  const rows = sorted(
    evaluation.tags.flatMap((tag, index) => {
      const rates = curve.tags[index]?.rates;
      return rates ? [{ tag, now: at(rates, step) }] : [];
    }),
    order,
  );
  const most = Math.max(...evaluation.tags.map((tag) => tag.images));
  const by = (column: Column): void =>
    setOrder((now) => ({ by: column, up: now?.by === column ? !now.up : column === "tag" }));
  return (
    <div>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label={words.caption}>
        <Table verticalSpacing="xs" highlightOnHover miw={620}>
          <Table.Thead>
            <Table.Tr>
              {COLUMNS.map((column) => (
                <Table.Th
                  key={column}
                  className={column === "tag" ? undefined : classes.numeric}
                  aria-sort={order?.by === column ? (order.up ? "ascending" : "descending") : "none"}
                >
                  <UnstyledButton className={classes.sort} fz="sm" onClick={() => by(column)}>
                    {title(column, detection)}
                    <span aria-hidden="true">{order?.by === column ? (order.up ? "↑" : "↓") : ""}</span>
                  </UnstyledButton>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <TagRow key={row.tag.id} row={row} few={row.tag.images * 2 < most} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {rows.some(({ now }) => !Number.isInteger(now.wrong) || !Number.isInteger(now.missed)) && (
        <Text size="xs" c="var(--quiet)" mt="xs">
          {words.means}
        </Text>
      )}
    </div>
  );
}

function TagRow({ row: { tag, now }, few }: { row: Row; few: boolean }): ReactElement {
  const [, setQuery] = useQueryValues();
  const show = (which: "true" | "said"): void =>
    setQuery({ view: "mistakes", true: "", said: "", cell: "", [which]: tag.id });
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={600} style={{ overflowWrap: "anywhere" }}>
        <Group gap={6}>
          {tag.name}
          {tag.type === NEGATIVE && (
            <Badge size="sm" variant="default">
              {words.negative}
            </Badge>
          )}
          <Warning tooFew={tag.state === TOO_FEW} few={few} />
        </Group>
      </Table.Th>
      <Table.Td className={classes.numeric}>{tag.images}</Table.Td>
      <Estimate {...now.precision} />
      <Estimate {...now.recall} />
      <Estimate {...tag.averagePrecision} />
      <Table.Td className={classes.numeric}>
        <Mistake count={now.wrong} label={words.showWrong(counted(now.wrong), tag.name)} onClick={() => show("said")} />
      </Table.Td>
      <Table.Td className={classes.numeric}>
        <Mistake count={now.missed} label={words.showMissed(counted(now.missed), tag.name)} onClick={() => show("true")} />
      </Table.Td>
    </Table.Tr>
  );
}

function Warning({ tooFew, few }: { tooFew: boolean; few: boolean }): ReactNode {
  if (!tooFew && !few) return null;
  return (
    <Badge size="sm" color="yellow" variant="light" tt="none" c="inherit">
      {tooFew ? words.tooFew : words.few}
    </Badge>
  );
}

function Estimate({ value, low, high }: { value: number; low: number; high: number }): ReactElement {
  return (
    <Table.Td className={classes.numeric}>
      {percent(value)}
      <Text size="xs" c="var(--quiet)">
        {percent(low, 0)} – {percent(high, 0)}
      </Text>
    </Table.Td>
  );
}

function Mistake({ count, label, onClick }: { count: number; label: string; onClick: () => void }): ReactElement {
  if (!count) return <span>0</span>;
  return (
    <UnstyledButton className={classes.link} onClick={onClick} fz="sm">
      <span aria-hidden="true">{counted(count)}</span>
      <VisuallyHidden>{label}</VisuallyHidden>
    </UnstyledButton>
  );
}

export const counted = (count: number): string =>
  Number.isInteger(count) ? String(count) : count.toFixed(2).replace(/0$/, "");

const title = (column: Column, detection: boolean): string =>
  column === "images" && detection ? words.objects : words[column];

function sorted(rows: Row[], order: { by: Column; up: boolean } | null): Row[] {
  if (!order) return rows;
  const value = VALUES[order.by];
  return rows.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    return (a < b ? -1 : a > b ? 1 : 0) * (order.up ? 1 : -1);
  });
}
