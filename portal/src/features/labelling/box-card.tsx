/** An image with the boxes that are suggested for it. */
import { Anchor, Checkbox, Text } from "@mantine/core";
import { type ReactElement } from "react";
import { Link } from "wouter";

import { near } from "#/api/client.ts";
import type { Suggested } from "#/api/suggestions.ts";
import type { Prediction } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Boxes } from "#/ui/boxes.tsx";
import { lookOf } from "#/ui/canvas/looks.ts";
import type { Looks } from "#/ui/canvas/types.ts";

import classes from "./labelling.module.css";

const FRAME_PX = 150;

interface Props {
  place: number;
  project: string;
  image: Suggested;
  boxes: readonly Prediction[];
  looks: Looks;
  ticked: boolean;
  onTick: (ticked: boolean) => void;
}

export function BoxCard({ place, project, image, boxes, looks, ticked, onTick }: Props): ReactElement {
  const shown = boxes.flatMap(({ boundingBox: box, tagId, tagName, probability }, at) =>
    box ? [{ key: String(at), box, colour: lookOf(looks, tagId).colour, label: `${tagName} ${percent(probability, 0)}` }] : [],
  );
  return (
    <li className={classes.card} data-ticked={ticked || undefined} aria-label={text.labelling.plainCard(place)}>
      <div className={classes.frame} style={{ display: "flex" }}>
        <div className={classes.whole} style={{ height: FRAME_PX, aspectRatio: `${image.width} / ${image.height}` }}>
          <img className="picture" src={near(image.resizedImageUri)} alt="" loading="lazy" />
          <Boxes boxes={shown} />
        </div>
        <Checkbox
          className={classes.tick ?? ""}
          aria-label={text.labelling.include(place)}
          checked={ticked}
          onChange={(event) => onTick(event.currentTarget.checked)}
        />
      </div>
      <div className={classes.below}>
        <Text size="sm">{text.labelling.boxes(boxes.length)}</Text>
        <Anchor component={Link} href={paths.image(project, image.id)} size="sm">
          {text.labelling.open}
        </Anchor>
      </div>
    </li>
  );
}
