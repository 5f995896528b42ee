/** A share as a ring, with the band in which the true one probably lies. */
import { Text } from "@mantine/core";
import type { ReactElement } from "react";

import { arc, type Range } from "#/lib/curve.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.rings;
const RADIUS = 38;
/** The band lies around the ring. */
const BAND = 46.5;
const CENTRE = 50;

interface Props {
  label: string;
  hint: string;
  share: Range;
  /** Whether there are enough images to go by it. */
  known: boolean;
}

export function Ring({ label, hint, share, known }: Props): ReactElement {
  const between = words.between(String(Math.round(share.low * 100)), percent(share.high, 0));
  return (
    <div className={`${classes.ring} ${known ? "" : classes.unsure}`}>
      <Text size="sm" fw={600} mb={4}>
        {label}
      </Text>
      <svg viewBox="0 0 100 100" role="img" aria-label={`${label}: ${percent(share.value)}, ${between}`}>
        <circle className={classes.track} cx={CENTRE} cy={CENTRE} r={RADIUS} />
        <path className={classes.value} d={arc(0, share.value, RADIUS, CENTRE)} />
        <path className={classes.band} d={arc(share.low, share.high, BAND, CENTRE)} />
        <text className={classes.number} x={CENTRE} y={CENTRE + 6}>
          {percent(share.value, share.value === 1 ? 0 : 1)}
        </text>
      </svg>
      <Text size="xs" c="var(--quiet)" mt={6} className={classes.between}>
        {between}
      </Text>
      <Text size="xs" c="var(--quiet)" visibleFrom="xs" maw={130}>
        {hint}
      </Text>
    </div>
  );
}
