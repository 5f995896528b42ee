/** Beside the picture: its tags with their number keys and counts, and its boxes one by one. */
import { ActionIcon, Text, Title, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { memo, type ReactElement, useMemo } from "react";

import type { Colour } from "#/lib/colours.ts";
import { text } from "#/text/index.ts";
import { lookOf, type Named } from "#/ui/canvas/looks.ts";
import { Digit, Swatch } from "#/ui/canvas/tag-field.tsx";
import type { Looks } from "#/ui/canvas/types.ts";
import type { Boxes } from "#/ui/canvas/use-boxes.ts";
import { Icon } from "#/ui/icons.tsx";

import classes from "./tags.module.css";

interface Props {
  model: Boxes;
  tags: readonly Named[];
  looks: Looks;
  editable: boolean;
}

export function TagList({ model, tags, looks, editable }: Props): ReactElement {
  const counts = useMemo(() => counted(model.boxes.map((box) => box.tagId)), [model.boxes]);
  const selected = model.boxes.find((box) => box.key === model.selected);
  return (
    <section aria-label={text.canvas.tags}>
      <Title order={2} size="h6" mb={4}>
        {text.canvas.tags}
      </Title>
      {tags.length === 0 && (
        <Text size="sm" c="var(--quiet)">
          {text.canvas.noTags}
        </Text>
      )}
      <ul className={`${classes.rows} ${classes.scrolled}`}>
        {tags.map((tag, at) => (
          <li key={tag.id} className={classes.row} data-selected={tag.id === (selected?.tagId ?? model.active) || undefined}>
            <UnstyledButton
              className={classes.pick}
              disabled={!editable}
              onClick={() => (selected ? model.tag(selected.key, tag.id) : model.activate(tag.id))}
            >
              <Swatch colour={lookOf(looks, tag.id).colour.fill} />
              <span className={classes.name}>{tag.name}</span>
              <span className={classes.count}>{counts.get(tag.id) ?? ""}</span>
              <VisuallyHidden>{selected ? text.canvas.give : text.canvas.drawNext}</VisuallyHidden>
              <Digit number={at + 1} />
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function BoxList({ model, looks, editable }: Omit<Props, "tags">): ReactElement {
  return (
    <section aria-label={text.canvas.boxes}>
      <Title order={2} size="h6" mb={4}>
        {text.canvas.count(model.boxes.length)}
      </Title>
      {model.boxes.length === 0 && (
        <Text size="sm" c="var(--quiet)">
          {editable ? text.canvas.noBoxes : text.canvas.noBoxesHere}
        </Text>
      )}
      <ul className={`${classes.rows} ${classes.scrolled}`}>
        {model.boxes.map((box, at) => {
          const { name, colour } = lookOf(looks, box.tagId);
          return (
            <Row
              key={box.key}
              id={box.key}
              number={at + 1}
              name={name}
              colour={colour}
              selected={box.key === model.selected}
              select={model.select}
              remove={editable ? model.remove : undefined}
            />
          );
        })}
      </ul>
    </section>
  );
}

interface RowProps {
  id: string;
  number: number;
  name: string;
  colour: Colour;
  selected: boolean;
  select: (key: string) => void;
  remove: ((key: string) => void) | undefined;
}

const Row = memo(function Row({ id, number, name, colour, selected, select, remove }: RowProps): ReactElement {
  return (
    <li className={classes.row} data-selected={selected || undefined}>
      <UnstyledButton className={classes.pick} aria-label={text.canvas.selectBox(number, name)} onClick={() => select(id)}>
        <Swatch colour={colour.fill} />
        <span className={classes.name}>{name}</span>
      </UnstyledButton>
      {remove && (
        <ActionIcon aria-label={text.canvas.deleteBox(number, name)} onClick={() => remove(id)}>
          <Icon name="trash" size={15} />
        </ActionIcon>
      )}
    </li>
  );
});

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
