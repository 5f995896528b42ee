/** A prediction of a classifier: what it said, and the tags that are right. */
import { Button, Text, Title } from "@mantine/core";
import { type ReactElement, useState } from "react";

import { near } from "#/api/client.ts";
import { rulesOf } from "#/api/tags.ts";
import { Facts } from "#/features/predictions/facts.tsx";
import type { ReviewProps } from "#/features/predictions/prediction-page.tsx";
import { best, SURE } from "#/features/predictions/said.ts";
import { switched } from "#/lib/tagging.ts";
import { text } from "#/text/index.ts";
import { digits } from "#/ui/canvas/box-canvas.tsx";
import { Canvas } from "#/ui/canvas/canvas.tsx";
import { Chips, TagToggles } from "#/ui/canvas/tag-choice.tsx";
import { TagField } from "#/ui/canvas/tag-field.tsx";
import { Scores } from "#/ui/scores.tsx";
import { useKeys } from "#/ui/use-keys.ts";
import layout from "#/ui/one-picture.module.css";

const words = text.predictions.one;

export function ReviewTags(props: ReviewProps): ReactElement {
  const { row, tags, looks, may, single } = props;
  const [tagIds, setTagIds] = useState<readonly string[]>(() => believable(props));
  const toggle = (id: string): void => setTagIds((now) => switched(now, id, rulesOf(tags, single)));
  const create = async (name: string): Promise<boolean> => {
    const id = await props.onCreateTag(name);
    if (id) toggle(id);
    return id !== undefined;
  };
  const save = (): void => props.onSave({ id: row.id, tagIds: [...tagIds] });
  useKeys({ ...(may && { ...digits(tags, toggle), s: save }) });
  return (
    <div className={layout.body}>
      <Canvas src={near(row.resizedImageUri)} alt={words.alt} width={props.width} height={props.height} looks={looks} />
      <div className={layout.panel}>
        <section aria-label={words.said}>
          <Title order={2} size="h6" mb={6}>
            {words.said}
          </Title>
          <Scores label={words.said} predictions={row.predictions} looks={looks} />
        </section>
        <Chips tagIds={tagIds} looks={looks} single={single} onRemove={may ? toggle : undefined} />
        {may && (
          <>
            <TagField
              label={single ? text.canvas.chooseTag : text.canvas.addTag}
              tags={tags}
              looks={looks}
              onChoose={(id) => !tagIds.includes(id) && toggle(id)}
              onCreate={create}
              list="typed"
            />
            <Button onClick={save}>{words.save}</Button>
            {tagIds.length === 0 && (
              <Text size="xs" c="var(--quiet)">
                {words.none}
              </Text>
            )}
          </>
        )}
        <TagToggles tags={tags} tagIds={tagIds} looks={looks} onToggle={may ? toggle : undefined} />
        <Facts row={row} />
      </div>
    </div>
  );
}

/** What the model said, as the first guess of what is right. */
function believable({ row, tags, single }: ReviewProps): readonly string[] {
  const known = new Set(tags.map((tag) => tag.id));
  const said = row.predictions.filter((each) => known.has(each.tagId));
  const first = best(said);
  if (single) return first ? [first.tagId] : [];
  return said.filter((each) => each.probability >= SURE).map((each) => each.tagId);
}
