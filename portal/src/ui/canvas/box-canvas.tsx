/** A picture whose boxes are drawn, named and corrected, by pointer and by keyboard. */
import { Popover } from "@mantine/core";
import { type ReactElement, useCallback, useState } from "react";

import { type Box, moved, resized } from "#/lib/geometry.ts";
import { text } from "#/text/index.ts";
import { anchored, Canvas } from "#/ui/canvas/canvas.tsx";
import type { Named } from "#/ui/canvas/looks.ts";
import { TagField } from "#/ui/canvas/tag-field.tsx";
import type { DrawnBox, Ghost, Looks } from "#/ui/canvas/types.ts";
import type { Boxes } from "#/ui/canvas/use-boxes.ts";
import { type Keys, useKeys } from "#/ui/use-keys.ts";

interface Props {
  src: string;
  alt: string;
  width: number;
  height: number;
  model: Boxes;
  tags: readonly Named[];
  looks: Looks;
  editable: boolean;
  ghosts?: readonly Ghost[];
  proposals?: readonly Box[];
  onAccept?: (ghost: Ghost) => void;
  /** Make a tag; nothing is given when that failed. */
  onCreateTag: (name: string) => Promise<string | undefined>;
}

/** The box that waits for its tag. */
const PENDING = "pending";
const LARGE_STEP = 10;
/** Where a box is put that is made by keyboard. */
const MIDDLE: Box = { left: 0.35, top: 0.35, width: 0.3, height: 0.3 };

export function BoxCanvas(props: Props): ReactElement {
  const { model, tags, looks, editable } = props;
  const { select } = model;
  const [pending, setPending] = useState<Box | null>(null);
  const [renaming, setRenaming] = useState<string | null>(null);
  const selected = model.boxes.find((box) => box.key === model.selected);
  const named = pending ?? model.boxes.find((box) => box.key === renaming);

  const close = useCallback((): void => {
    setPending(null);
    setRenaming(null);
  }, []);
  const choose = (tagId: string): void => {
    if (pending) model.add([{ ...pending, tagId }]);
    else if (renaming) model.tag(renaming, tagId);
    close();
  };
  // Who draws on without an answer means the tag that was given last.
  const leave = (): void => (pending && model.active ? choose(model.active) : close());
  const create = async (name: string): Promise<boolean> => {
    const made = await props.onCreateTag(name);
    if (made) choose(made);
    return made !== undefined;
  };
  const chosen = useCallback(
    (key: string | null): void => {
      if (key !== PENDING) select(key);
    },
    [select],
  );
  const drawn = (box: Box): void => {
    setRenaming(null);
    setPending(box);
  };
  const accept = (ghost: Ghost): void => {
    close();
    props.onAccept?.(ghost);
  };

  useKeys({
    ...(editable && selected && boxKeys(selected, props, () => setRenaming(selected.key))),
    ...(editable && digits(tags, (tagId) => (selected ? model.tag(selected.key, tagId) : model.activate(tagId)))),
    ...(editable && { n: () => drawn(MIDDLE) }),
    escape: Boolean(model.selected) && (() => model.select(null)),
    "ctrl+z": model.canUndo && model.undo,
    "ctrl+shift+z": model.canRedo && model.redo,
    "ctrl+y": model.canRedo && model.redo,
  });

  const shown = pending ? [...model.boxes, { ...pending, key: PENDING, tagId: model.active }] : model.boxes;
  return (
    <Canvas
      src={props.src}
      alt={props.alt}
      width={props.width}
      height={props.height}
      looks={looks}
      boxes={shown}
      selected={pending ? PENDING : model.selected}
      ghosts={props.ghosts ?? []}
      proposals={props.proposals ?? []}
      editable={editable}
      tagId={model.active}
      onSelect={chosen}
      onDrawn={drawn}
      onChanged={(key, box) => (key === PENDING ? setPending(box) : model.change(key, box))}
      onAccept={accept}
    >
      {named && (
        <Popover
          opened
          onDismiss={leave}
          closeOnEscape={false}
          withRoles={false}
          position="bottom-start"
          shadow="md"
          trapFocus
          returnFocus={false}
          width={260}
        >
          <Popover.Target>
            <div {...anchored(named)} />
          </Popover.Target>
          <Popover.Dropdown
            role="dialog"
            aria-label={text.canvas.whichTag}
            onKeyDown={(event) => event.key === "Escape" && close()}
          >
            <TagField
              label={text.canvas.chooseTag}
              tags={tags}
              looks={looks}
              value={pending ? model.active : (model.boxes.find((box) => box.key === renaming)?.tagId ?? "")}
              onChoose={choose}
              onCreate={create}
            />
          </Popover.Dropdown>
        </Popover>
      )}
    </Canvas>
  );
}

/** Keys of the selected box: nudge it, resize it, name it, delete it. */
function boxKeys(box: DrawnBox, { model, width, height }: Props, rename: () => void): Keys {
  const keys: Keys = { delete: () => model.remove(box.key), backspace: () => model.remove(box.key), enter: rename, t: rename };
  const arrows = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] } as const;
  for (const [key, [right, down]] of Object.entries(arrows)) {
    for (const [shift, step] of [["", 1], ["shift+", LARGE_STEP]] as const) {
      const [dx, dy] = [(right * step) / width, (down * step) / height];
      keys[shift + key] = () => model.change(box.key, moved(box, dx, dy), "move");
      for (const held of ["alt+", "ctrl+"]) keys[held + shift + key] = () => model.change(box.key, resized(box, "se", dx, dy), "resize");
    }
  }
  return keys;
}

/** The number keys choose among the first nine tags. */
export function digits(tags: readonly Named[], choose: (tagId: string) => void): Keys {
  return Object.fromEntries(tags.slice(0, 9).map((tag, at) => [String(at + 1), () => choose(tag.id)]));
}
