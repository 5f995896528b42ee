/** The upper layer of a picture: what moves right now is painted here alone, so that hundreds of boxes below stay as they are. */
import { type ReactElement, type Ref, useImperativeHandle, useState } from "react";

import { NEUTRAL } from "#/lib/colours.ts";
import type { Box } from "#/lib/geometry.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import { Grips, Outline } from "#/ui/canvas/shapes.tsx";
import type { DrawnBox, Looks } from "#/ui/canvas/types.ts";

import classes from "./canvas.module.css";

export interface Painter {
  /** Paint a box that is drawn or dragged; null: nothing is. */
  drag: (box: DrawnBox | null) => void;
  /** Paint a proposal under the pointer. */
  hover: (box: Box | null) => void;
}

interface Props {
  ref: Ref<Painter>;
  selected: DrawnBox | undefined;
  looks: Looks;
  editable: boolean;
  width: number;
  height: number;
}

export function DragLayer({ ref, selected, looks, editable, width, height }: Props): ReactElement {
  const [dragged, drag] = useState<DrawnBox | null>(null);
  const [hovered, hover] = useState<Box | null>(null);
  useImperativeHandle(ref, () => ({ drag, hover }), []);
  const shown = dragged ?? selected;
  const colour = shown ? lookOf(looks, shown.tagId).colour : NEUTRAL;
  return (
    <svg className={`${classes.layer} ${classes.moving}`} aria-hidden="true">
      {hovered && !dragged && <Outline box={hovered} colour={NEUTRAL} kind="proposal" />}
      {dragged && <Outline box={dragged} colour={colour} kind="selected" />}
      {shown && editable && <Grips box={shown} colour={colour} width={width} height={height} />}
    </svg>
  );
}
