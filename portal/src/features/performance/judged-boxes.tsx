/** Boxes over a picture: right, wrong and missed ones. */
import { Group, Text } from "@mantine/core";
import type { ReactElement } from "react";

import type { VerdictBox, VerdictImage } from "#/api/types.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.mistakes;
const KINDS = ["Right", "Wrong", "Missed"] as const;

/** Laid over the picture in the same way as the picture lies in its frame. */
export function Boxes({ image: { boxes, width, height } }: { image: VerdictImage }): ReactElement | null {
  if (!boxes.length) return null;
  return (
    <svg className={classes.boxes} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {boxes.map((box, at) => (
        <Box key={at} box={box} width={width} height={height} />
      ))}
    </svg>
  );
}

function Box({ box, width, height }: { box: VerdictBox; width: number; height: number }): ReactElement {
  const { left, top, width: across, height: down } = box.boundingBox;
  return (
    <rect
      className={classes[box.verdict]}
      x={left * width}
      y={top * height}
      width={across * width}
      height={down * height}
    >
      <title>{boxLabel(box)}</title>
    </rect>
  );
}

/** What became of a box, in words. */
export function boxLabel(box: VerdictBox): string {
  const share = box.probability === null ? "" : `, ${percent(box.probability)}`;
  return `${words.legend[box.verdict] ?? box.verdict}: ${box.tagName}${share}`;
}

export function Swatch({ verdict }: { verdict: string }): ReactElement {
  return (
    <svg className={classes.swatch} viewBox="0 0 18 12" aria-hidden="true">
      <rect className={classes[verdict]} x={1} y={1} width={16} height={10} />
    </svg>
  );
}

export function Legend(): ReactElement {
  return (
    <Group gap="md" mb="sm">
      {KINDS.map((kind) => (
        <Group key={kind} gap={6}>
          <Swatch verdict={kind} />
          <Text size="sm">{words.legend[kind]}</Text>
        </Group>
      ))}
    </Group>
  );
}
