/** Filters of stored predictions; they stand in the address, so that a view can be shared and gone back to. */
import { Group, RangeSlider, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type ReactElement, useState } from "react";

import { useIterations } from "#/api/iterations.ts";
import type { Tag } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import { ORDERS, readRange, type TagRange, writeRange } from "#/features/predictions/use-stored.ts";
import { text } from "#/text/index.ts";
import { Select } from "#/ui/select.tsx";

import classes from "./predictions.module.css";

const words = text.predictions;
const TYPED_MS = 400;

export function Filters({ project, tags }: { project: string; tags: readonly Tag[] }): ReactElement {
  const [values, set] = useQueryValues();
  const iterations = useIterations(project).data ?? [];
  const first = readRange(values.get("tag1"));
  const second = readRange(values.get("tag2"));
  return (
    <section aria-label={words.filters} className={classes.filters}>
      <Select
        label={words.order}
        data={ORDERS.map((value) => ({ value, label: words.orders[value] ?? value }))}
        value={values.get("order") ?? ORDERS[0]}
        onChange={(order) => set({ order: order === ORDERS[0] ? "" : order })}
      />
      <Select
        label={words.iteration}
        data={[{ value: "", label: words.anyIteration }, ...iterations.map((each) => ({ value: each.id, label: each.name }))]}
        value={values.get("iteration") ?? ""}
        onChange={(iteration) => set({ iteration })}
      />
      <Select
        label={words.since}
        data={Object.entries(words.sinces).map(([value, label]) => ({ value, label }))}
        value={values.get("since") ?? ""}
        onChange={(since) => set({ since })}
      />
      <TagFilter number={1} tags={tags} range={first} onChange={(tag1) => set({ tag1, ...(tag1 ? {} : { tag2: "" }) })} />
      {first && (
        <TagFilter
          number={2}
          tags={tags.filter((tag) => tag.id !== first.id)}
          range={second}
          onChange={(tag2) => set({ tag2 })}
        />
      )}
      <Application value={values.get("application") ?? ""} onChange={(application) => set({ application })} />
    </section>
  );
}

interface TagFilterProps {
  number: number;
  tags: readonly Tag[];
  range: TagRange | undefined;
  onChange: (written: string) => void;
}

function TagFilter({ number, tags, range, onChange }: TagFilterProps): ReactElement {
  const [dragged, setDragged] = useState<[number, number] | null>(null);
  const [low, high] = dragged ?? [range?.low ?? 0, range?.high ?? 100];
  return (
    <div>
      <Select
        label={words.tag(number)}
        data={[{ value: "", label: words.anyTag }, ...tags.map((tag) => ({ value: tag.id, label: tag.name }))]}
        value={range?.id ?? ""}
        onChange={(id) => onChange(writeRange({ id, low: 0, high: 100 }))}
      />
      {range && (
        <Group gap={4} mt={6}>
          <Text size="xs" c="var(--quiet)">
            {words.range(`${low} %`, `${high} %`)}
          </Text>
          <RangeSlider
            size="sm"
            flex="1 0 100%"
            min={0}
            max={100}
            minRange={1}
            label={null}
            value={[low, high]}
            onChange={setDragged}
            onChangeEnd={([from, to]) => {
              setDragged(null);
              onChange(writeRange({ id: range.id, low: from, high: to }));
            }}
            thumbFromLabel={words.rangeLow}
            thumbToLabel={words.rangeHigh}
          />
        </Group>
      )}
    </div>
  );
}

function Application({ value, onChange }: { value: string; onChange: (value: string) => void }): ReactElement {
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  const settle = useDebouncedCallback((to: string) => {
    setKnown(to);
    onChange(to);
  }, TYPED_MS);
  // The address was changed by something else, such as the button that clears the filters.
  if (value !== known) {
    setKnown(value);
    setTyped(value);
  }
  return (
    <TextInput
      label={words.application}
      placeholder={words.applicationHint}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        settle(event.currentTarget.value);
      }}
    />
  );
}
