/** Boxes as SVG elements: their places are percentages, so that they fit the picture at any size. */
import { memo, type ReactElement } from "react";

import type { Colour } from "#/lib/colours.ts";
import { type Box, HANDLES } from "#/lib/geometry.ts";
import { text } from "#/text/index.ts";

import classes from "./canvas.module.css";

const share = (value: number): string => `${(value * 100).toFixed(4)}%`;
export const placed = (box: Box) => ({
  x: share(box.left),
  y: share(box.top),
  width: share(box.width),
  height: share(box.height),
});

interface OutlineProps {
  box: Box;
  colour: Colour;
  label?: string;
  kind?: "box" | "selected" | "ghost" | "proposal";
}

/** A frame that shows on light and dark ground, with its name above it, or within where there is no room above. */
export function Outline({ box, colour, label, kind = "box" }: OutlineProps): ReactElement {
  return (
    <>
      <rect {...placed(box)} className={classes.halo} />
      <rect {...placed(box)} className={classes[kind]} stroke={colour.fill} />
      {label && (
        <text
          x={share(box.left)}
          y={share(box.top)}
          dx={5}
          dy={box.top < 0.05 ? 16 : -7}
          className={classes.label}
          fill={colour.ink}
          stroke={colour.fill}
        >
          {label}
        </text>
      )}
    </>
  );
}

interface BoxProps {
  id: string;
  box: Box;
  number: number;
  name: string;
  colour: Colour;
  selected: boolean;
  /** Whether its name is written beside it. */
  told: boolean;
  /** It is painted by the layer above while it is dragged. */
  held: boolean;
  onSelect: (key: string) => void;
}

/** One box that can be reached by keyboard; drawn anew only when something of it changes. */
export const BoxShape = memo(function BoxShape(props: BoxProps): ReactElement {
  const { id, box, name, colour, selected } = props;
  return (
    <g
      role="button"
      tabIndex={0}
      data-key={id}
      aria-label={text.canvas.box(props.number, name)}
      aria-pressed={selected}
      className={classes.item}
      visibility={props.held ? "hidden" : undefined}
      onFocus={() => props.onSelect(id)}
    >
      <Outline box={box} colour={colour} label={props.told ? name : ""} kind={selected ? "selected" : "box"} />
    </g>
  );
});

/** Below this side on the screen a box has grips at its corners alone, and smaller ones. */
const ROOMY_PX = 44;

interface GripsProps {
  box: Box;
  colour: Colour;
  /** The size of the picture on the screen. */
  width: number;
  height: number;
}

/** The grips of the selected box. */
export function Grips({ box, colour, width, height }: GripsProps): ReactElement {
  const roomy = Math.min(box.width * width, box.height * height) >= ROOMY_PX;
  return (
    <g>
      {HANDLES.filter((handle) => roomy || handle.length === 2).map((handle) => (
        <circle
          key={handle}
          data-handle={handle}
          cx={share(box.left + box.width * along(handle, "w", "e"))}
          cy={share(box.top + box.height * along(handle, "n", "s"))}
          r={roomy ? 6 : 4}
          className={classes.grip}
          stroke={colour.fill}
          style={{ cursor: `${handle}-resize` }}
        />
      ))}
    </g>
  );
}

function along(handle: string, low: string, high: string): number {
  if (handle.includes(low)) return 0;
  return handle.includes(high) ? 1 : 0.5;
}
