/** The tags of a whole image: those that it bears, and all that it may bear. */
import { ActionIcon, Text, Title, UnstyledButton, VisuallyHidden } from "@mantine/core";
import type { ReactElement } from "react";

import { NEGATIVE } from "#/api/tags.ts";
import type { Tag } from "#/api/types.ts";
import { text } from "#/text/index.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import { Digit, Swatch } from "#/ui/canvas/tag-field.tsx";
import type { Looks } from "#/ui/canvas/types.ts";
import { Icon } from "#/ui/icons.tsx";

import classes from "./tags.module.css";

const words = text.canvas;

interface ChipsProps {
  tagIds: readonly string[];
  looks: Looks;
  /** An image has exactly one tag. */
  single: boolean;
  /** Undefined for those who only look. */
  onRemove: ((id: string) => void) | undefined;
}

export function Chips({ tagIds, looks, single, onRemove }: ChipsProps): ReactElement {
  return (
    <section aria-label={words.tagsOfImage}>
      <Title order={2} size="h6" mb={6}>
        {words.tagsOfImage}
      </Title>
      {tagIds.length === 0 && (
        <Text size="sm" c="var(--quiet)">
          {onRemove ? words.untagged : words.untaggedHere}
        </Text>
      )}
      <div className={classes.chips}>
        {tagIds.map((id) => {
          const { name, colour } = lookOf(looks, id);
          return (
            <span key={id} className={classes.chip} data-readonly={!onRemove || undefined}>
              <Swatch colour={colour.fill} />
              {name}
              {onRemove && (
                <ActionIcon size="sm" aria-label={words.remove(name)} onClick={() => onRemove(id)}>
                  <Icon name="close" size={13} />
                </ActionIcon>
              )}
            </span>
          );
        })}
      </div>
      {single && onRemove && (
        <Text size="xs" c="var(--quiet)" mt={6}>
          {words.oneTag}
        </Text>
      )}
    </section>
  );
}

interface TogglesProps {
  tags: readonly Tag[];
  tagIds: readonly string[];
  looks: Looks;
  onToggle: ((id: string) => void) | undefined;
}

export function TagToggles({ tags, tagIds, looks, onToggle }: TogglesProps): ReactElement {
  return (
    <section aria-label={words.allTags}>
      <Title order={2} size="h6" mb={4}>
        {words.allTags}
      </Title>
      <ul className={`${classes.rows} ${classes.scrolled}`}>
        {tags.map((tag, at) => {
          const on = tagIds.includes(tag.id);
          return (
            <li key={tag.id} className={classes.row} data-selected={on || undefined}>
              <UnstyledButton
                className={classes.pick}
                aria-pressed={on}
                disabled={!onToggle}
                onClick={() => onToggle?.(tag.id)}
              >
                <Swatch colour={lookOf(looks, tag.id).colour.fill} />
                <span className={classes.name}>{tag.name}</span>
                {tag.type === NEGATIVE && <span className={classes.count}>{words.negative}</span>}
                <VisuallyHidden>{on ? words.takeTag : words.giveTag}</VisuallyHidden>
                <Digit number={at + 1} />
              </UnstyledButton>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** By name; the tag for “none of them” last, and not for boxes, as a box always shows something. */
export function ordered(tags: readonly Tag[], detects: boolean): Tag[] {
  const regular = tags.filter((tag) => tag.type !== NEGATIVE).toSorted((a, b) => a.name.localeCompare(b.name));
  return detects ? regular : [...regular, ...tags.filter((tag) => tag.type === NEGATIVE)];
}
