/** A stored prediction in the grid: its picture, the boxes that were found, the best answer. */
import { Checkbox, Text } from "@mantine/core";
import { memo, type ReactElement } from "react";
import { Link } from "wouter";

import { near } from "#/api/client.ts";
import type { StoredImagePrediction } from "#/api/types.ts";
import { boxesOf, summary } from "#/features/predictions/said.ts";
import { ago } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Boxes } from "#/ui/boxes.tsx";
import { lookOf } from "#/ui/canvas/looks.ts";
import type { Looks } from "#/ui/canvas/types.ts";

import classes from "./predictions.module.css";

interface Props {
  row: StoredImagePrediction;
  href: string;
  detects: boolean;
  looks: Looks;
  selected: boolean;
  onSelect: ((id: string, to: boolean) => void) | undefined;
}

export const PredictionCard = memo(function PredictionCard(props: Props): ReactElement {
  const { row, detects, looks, selected, onSelect } = props;
  const told = summary(row, detects);
  return (
    <li className={classes.card} data-selected={selected || undefined}>
      <Link href={props.href} className={classes.link} aria-label={text.predictions.open(`${told}, ${ago(row.created)}`)}>
        <span className={classes.frame}>
          <span className={classes.shot}>
            <img src={near(row.thumbnailUri)} alt="" loading="lazy" />
            {detects && (
              <Boxes
                boxes={boxesOf(row.predictions).map((box) => ({ key: box.key, box, colour: lookOf(looks, box.tagId).colour }))}
              />
            )}
          </span>
        </span>
        <span className={classes.told} style={{ display: "block" }}>
          <Text component="span" display="block" size="sm" fw={600} truncate>
            {told}
          </Text>
          <Text component="span" display="block" size="xs" c="var(--quiet)">
            {ago(row.created)}
          </Text>
        </span>
      </Link>
      {onSelect && (
        <Checkbox
          className={classes.check}
          aria-label={text.predictions.select(`${told}, ${ago(row.created)}`)}
          checked={selected}
          onChange={(event) => onSelect(row.id, event.currentTarget.checked)}
        />
      )}
    </li>
  );
});
