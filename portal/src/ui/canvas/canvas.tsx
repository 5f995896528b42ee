/** A picture with boxes upon it, to be looked at or drawn on; the state of the boxes is its user's. */
import { ActionIcon } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { type ReactElement, type ReactNode, useRef } from "react";

import { type Box, LEAST } from "#/lib/geometry.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { DragLayer, type Painter } from "#/ui/canvas/drag-layer.tsx";
import { lookOf } from "#/ui/canvas/looks.ts";
import { BoxShape, Outline } from "#/ui/canvas/shapes.tsx";
import type { DrawnBox, Ghost, Looks } from "#/ui/canvas/types.ts";
import { useGestures } from "#/ui/canvas/use-gestures.ts";
import { usePinch } from "#/ui/canvas/use-pinch.ts";
import { useZoom, type Zoom } from "#/ui/canvas/use-zoom.ts";
import { named } from "#/ui/hints.tsx";
import { Icon, type IconName } from "#/ui/icons.tsx";

import classes from "./canvas.module.css";

interface Props {
  src: string;
  alt: string;
  width: number;
  height: number;
  looks: Looks;
  boxes?: readonly DrawnBox[];
  selected?: string | null;
  /** What a model sees, dashed; the first is on top. */
  ghosts?: readonly Ghost[];
  /** Draw it as what is there, not as what is offered. */
  solid?: boolean;
  /** Boxes that show under the pointer, to be taken by a click. */
  proposals?: readonly Box[];
  editable?: boolean;
  tagId?: string;
  onSelect?: (key: string | null) => void;
  onDrawn?: (box: Box) => void;
  onChanged?: (key: string, box: Box) => void;
  onAccept?: (ghost: Ghost) => void;
  /** Laid over the picture, in its measure. */
  children?: ReactNode;
}

/** Of more boxes only the wide ones bear their names: colours tell the others apart. */
const MOST_NAMES = 40;
const WIDE = 0.1;
const nothing = (): void => undefined;

export function Canvas(props: Props): ReactElement {
  const { boxes = [], ghosts = [], looks, selected = null, editable = false, onSelect = nothing } = props;
  const painter = useRef<Painter>(null);
  const zoom = useZoom(props);
  const { held, handlers, end } = useGestures(
    {
      boxes,
      selected,
      ghosts,
      proposals: props.proposals ?? [],
      editable,
      tagId: props.tagId ?? "",
      onSelect,
      onDrawn: props.onDrawn ?? nothing,
      onChanged: props.onChanged ?? nothing,
      onAccept: props.onAccept ?? nothing,
    },
    painter,
    zoom.viewport,
  );
  const pinch = usePinch(zoom, end);
  return (
    <div className={classes.room} ref={zoom.room}>
      <div
        className={classes.viewport}
        ref={zoom.viewport}
        style={{ overflow: zoom.zoom > 1 ? "auto" : "hidden" }}
        role="group"
        aria-label={text.canvas.picture}
        tabIndex={0}
      >
        <div className={classes.stage} ref={zoom.stage} style={{ width: zoom.width, height: zoom.height }}>
          <div
            className={classes.surface}
            data-editable={editable || undefined}
            data-testid="surface"
            {...handlers}
            {...pinch}
            onMouseDown={(event) => event.preventDefault()}
          >
            <img className={classes.picture} src={props.src} alt={props.alt} draggable={false} />
            <svg className={classes.layer} role="group" aria-label={text.canvas.boxes}>
              {ghosts.toReversed().map((ghost) => (
                <GhostShape key={ghost.key} ghost={ghost} looks={looks} solid={props.solid ?? false} />
              ))}
              {boxes.map((box, at) => {
                const look = lookOf(looks, box.tagId);
                return (
                  <BoxShape
                    key={box.key}
                    id={box.key}
                    box={box}
                    number={at + 1}
                    name={look.name}
                    colour={look.colour}
                    selected={box.key === selected}
                    told={box.key === selected || boxes.length <= MOST_NAMES || box.width > WIDE}
                    held={box.key === held}
                    onSelect={onSelect}
                  />
                );
              })}
            </svg>
            <DragLayer
              ref={painter}
              selected={boxes.find((box) => box.key === selected)}
              looks={looks}
              editable={editable}
              width={zoom.width}
              height={zoom.height}
            />
          </div>
          {props.children}
        </div>
      </div>
      <ZoomTools zoom={zoom} />
    </div>
  );
}

function GhostShape({ ghost, looks, solid }: { ghost: Ghost; looks: Looks; solid: boolean }): ReactElement {
  const { name, colour } = lookOf(looks, ghost.tagId);
  const label = `${name} ${percent(ghost.probability, 0)}`;
  return (
    <g role="img" aria-label={solid ? text.canvas.found(label) : text.canvas.ghost(label)}>
      <Outline box={ghost} colour={colour} label={label} kind={solid ? "box" : "ghost"} />
    </g>
  );
}

function ZoomTools({ zoom }: { zoom: Zoom }): ReactElement {
  const tools: [string, IconName, () => void, string[]][] = [
    [text.canvas.zoomOut, "zoomOut", zoom.zoomOut, ["-"]],
    [text.canvas.fit, "fit", zoom.fit, ["0"]],
    [text.canvas.zoomIn, "zoomIn", zoom.zoomIn, ["plus", "shift+plus", "="]],
  ];
  useHotkeys(tools.flatMap(([, , act, keys]) => keys.map((key): [string, () => void] => [key, act])));
  return (
    <div className={classes.tools}>
      {tools.map(([label, icon, act]) => (
        <ActionIcon key={label} {...named(label)} onClick={act}>
          <Icon name={icon} />
        </ActionIcon>
      ))}
    </div>
  );
}

/** The place of a box, for what floats beside it. */
export const anchored = (box: Box): { className: string | undefined; style: Record<string, string> } => ({
  className: classes.anchor,
  style: {
    left: `${box.left * 100}%`,
    top: `${box.top * 100}%`,
    width: `${Math.max(LEAST, box.width) * 100}%`,
    height: `${Math.max(LEAST, box.height) * 100}%`,
  },
});
