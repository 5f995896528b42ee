/** Boxes drawn over a picture, for looking: each with its tag and probability. */
import type { ReactElement } from "react";

import type { BoundingBox } from "#/api/types.ts";

import { type Colour, painted } from "#/lib/colours.ts";

import classes from "./boxes.module.css";

export interface ShownBox {
  key: string;
  box: BoundingBox;
  colour: Colour;
  label?: string;
}

const part = (value: number): string => `${value * 100}%`;

/** Lies over a picture that fills its parent, which is positioned. */
export function Boxes({ boxes }: { boxes: readonly ShownBox[] }): ReactElement {
  return (
    <>
      <svg className={classes.layer} aria-hidden="true">
        {boxes.map(({ key, box, colour }) => (
          <rect
            key={key}
            x={part(box.left)}
            y={part(box.top)}
            width={part(box.width)}
            height={part(box.height)}
            fill="none"
            stroke={colour.fill}
            strokeWidth={2}
          />
        ))}
      </svg>
      {boxes.map(
        ({ key, box, colour, label }) =>
          label && (
            <span
              key={key}
              className={classes.label}
              style={{ left: part(Math.max(0, box.left)), top: part(Math.max(0, box.top)), ...painted(colour) }}
            >
              {label}
            </span>
          ),
      )}
    </>
  );
}
