/** A prediction of a detector: its boxes are corrected before the picture becomes a training image. */
import { Button, Text } from "@mantine/core";
import { type ReactElement, useMemo, useState } from "react";

import { near } from "#/api/client.ts";
import { Facts } from "#/features/predictions/facts.tsx";
import type { ReviewProps } from "#/features/predictions/prediction-page.tsx";
import { SURE } from "#/features/predictions/said.ts";
import { overlap } from "#/lib/geometry.ts";
import { text } from "#/text/index.ts";
import { BoxCanvas } from "#/ui/canvas/box-canvas.tsx";
import { BoxList, TagList } from "#/ui/canvas/box-panel.tsx";
import { ghostsOf, surest } from "#/ui/canvas/ghosts.ts";
import type { Ghost } from "#/ui/canvas/types.ts";
import { newKey, useBoxes } from "#/ui/canvas/use-boxes.ts";
import { useKeys } from "#/ui/use-keys.ts";
import layout from "#/ui/one-picture.module.css";

const words = text.predictions.one;
/** Less sure boxes are offered from here on. */
const OFFERED = 0.2;
const SAME_THING = 0.5;

export function ReviewBoxes(props: ReviewProps): ReactElement {
  const { row, tags, looks, may } = props;
  const known = useMemo(() => new Set(tags.map((tag) => tag.id)), [tags]);
  const seen = useMemo(() => surest(ghostsOf(row.predictions, OFFERED), known), [row, known]);
  const [first] = useState(() => seen.filter((box) => box.probability >= SURE).map((box) => ({ ...box, key: newKey() })));
  const model = useBoxes(first);
  const ghosts = useMemo(
    (): Ghost[] => seen.filter((ghost) => !model.boxes.some((box) => overlap(box, ghost) > SAME_THING)),
    [seen, model.boxes],
  );
  const save = (): void => {
    const regions = model.boxes.map(({ tagId, left, top, width, height }) => ({ tagId, left, top, width, height }));
    props.onSave({ id: row.id, regions });
  };
  useKeys({ s: may && save });
  return (
    <div className={layout.body}>
      <BoxCanvas
        src={near(row.resizedImageUri)}
        alt={words.alt}
        width={props.width}
        height={props.height}
        model={model}
        tags={tags}
        looks={looks}
        editable={may}
        ghosts={ghosts}
        onAccept={(ghost) => model.add([ghost])}
        onCreateTag={props.onCreateTag}
      />
      <div className={layout.panel}>
        {may && <Button onClick={save}>{words.save}</Button>}
        {may && model.boxes.length === 0 && (
          <Text size="xs" c="var(--quiet)">
            {words.none}
          </Text>
        )}
        <BoxList model={model} looks={looks} editable={may} />
        <TagList model={model} tags={tags} looks={looks} editable={may} />
        <Facts row={row} />
      </div>
    </div>
  );
}
