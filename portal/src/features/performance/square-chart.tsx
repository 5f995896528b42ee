/** A square chart of two shares, each from 0 to 100 %, with its axes and a grid. */
import type { ReactElement, ReactNode } from "react";

import classes from "./performance.module.css";

/** The side of the square, in the units of what is drawn in it; 0 is at the top. */
export const SIZE = 300;
const MARKS = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  label: string;
  /** Names of the axes. */
  across: string;
  up: string;
  maxWidth?: number;
  children: ReactNode;
}

export function SquareChart({ label, across, up, maxWidth, children }: Props): ReactElement {
  return (
    <svg
      className={classes.chart}
      style={maxWidth ? { maxWidth } : undefined}
      viewBox={`-44 -12 ${SIZE + 62} ${SIZE + 52}`}
      role="img"
      aria-label={label}
    >
      {MARKS.map((mark) => (
        <g key={mark}>
          <line className={classes.grid} x1={0} x2={SIZE} y1={(1 - mark) * SIZE} y2={(1 - mark) * SIZE} />
          <line className={classes.grid} y1={0} y2={SIZE} x1={mark * SIZE} x2={mark * SIZE} />
          <text x={-6} y={(1 - mark) * SIZE + 4} textAnchor="end">
            {mark * 100}
          </text>
          <text x={mark * SIZE} y={SIZE + 16} textAnchor="middle">
            {mark * 100}
          </text>
        </g>
      ))}
      <text x={SIZE / 2} y={SIZE + 34} textAnchor="middle">
        {across} %
      </text>
      <text transform={`translate(-32 ${SIZE / 2}) rotate(-90)`} textAnchor="middle">
        {up} %
      </text>
      {children}
    </svg>
  );
}
