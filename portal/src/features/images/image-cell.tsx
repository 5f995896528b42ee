/** One image in the grid: its picture, its tags, and whether it is selected. */
import { memo, type MouseEvent, type ReactElement } from "react";

import { near } from "#/api/client.ts";
import type { Image } from "#/api/types.ts";
import { painted } from "#/lib/colours.ts";
import { text } from "#/text/index.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import type { Looks } from "#/ui/canvas/types.ts";
import { Icon } from "#/ui/icons.tsx";

import classes from "./images.module.css";

interface Props {
  image: Image | undefined;
  place: number;
  selected: boolean;
  /** Whether the keyboard's focus comes here when it comes to the grid. */
  current: boolean;
  looks: Looks;
  wrong: boolean;
  onPick: (place: number, event: MouseEvent) => void;
}

const SHOWN_TAGS = 3;

export const ImageCell = memo(function ImageCell(props: Props): ReactElement {
  const { image, place, selected, current, looks, wrong } = props;
  const tags = image?.tags ?? [];
  return (
    <div
      role="gridcell"
      aria-selected={selected}
      aria-label={text.images.cell(place + 1, tags.map((tag) => tag.tagName ?? ""), wrong)}
      tabIndex={current ? 0 : -1}
      data-place={place}
      data-wrong={wrong || undefined}
      className={classes.cell}
      onClick={(event) => props.onPick(place, event)}
    >
      {image && <img className="picture" src={near(image.thumbnailUri)} alt="" draggable={false} />}
      <span className={classes.mark} data-mark="true" aria-hidden="true">
        {selected && <Icon name="check" size={14} />}
      </span>
      {tags.length > 0 && (
        <span className={classes.tags} aria-hidden="true">
          {tags.slice(0, SHOWN_TAGS).map((tag) => (
            <span key={tag.tagId} className={classes.tag} style={painted(lookOf(looks, tag.tagId).colour)}>
              {tag.tagName}
            </span>
          ))}
          {tags.length > SHOWN_TAGS && <span className={classes.tag}>+{tags.length - SHOWN_TAGS}</span>}
        </span>
      )}
    </div>
  );
});
