/** A grid of any number of images, of which only those in view are there; moved in and selected in by mouse and keys. */
import { useElementSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type MouseEvent, type ReactElement, useCallback, useEffect, useRef, useState } from "react";

import type { ImageFilter } from "#/api/images.ts";
import type { Image } from "#/api/types.ts";
import { ImageCell } from "#/features/images/image-cell.tsx";
import { useImages } from "#/features/images/use-images.ts";
import { moved, NOTHING, type Selection, toggled } from "#/lib/selection.ts";
import { text } from "#/text/index.ts";
import type { Looks } from "#/ui/canvas/types.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";

import classes from "./images.module.css";

const SMALLEST_PX = 150;
const GAP_PX = 8;
const OVERSCAN_ROWS = 2;

interface Props {
  project: string;
  filter: ImageFilter;
  looks: Looks;
  selection: Selection;
  wrong: ReadonlySet<string>;
  hidden: ReadonlySet<string>;
  onSelect: (selection: Selection) => void;
  onOpen: (image: Image, place: number) => void;
  onKey: (event: KeyboardEvent) => void;
  empty: ReactElement;
  /** Add a range of places to the selection, whether its images are here or not. */
  onRange: (from: number, to: number) => void;
  /** Told of the images that are here whenever they are others. */
  onShown: (images: readonly Image[]) => void;
}

export function ImageGrid(props: Props): ReactElement {
  const { project, filter, looks, selection, onSelect, onRange, onOpen, onShown } = props;
  const { ref: sized, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const columns = Math.max(1, Math.floor((width + GAP_PX) / (SMALLEST_PX + GAP_PX)));
  const side = Math.floor((width + GAP_PX) / columns) - GAP_PX;
  const [range, setRange] = useState({ first: 0, last: 0 });
  const images = useImages(project, filter, range.first, range.last);
  const count = images.count ?? 0;
  const rows = useVirtualizer({
    count: width ? Math.ceil(count / columns) : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => side + GAP_PX,
    overscan: OVERSCAN_ROWS,
  });
  const shown = rows.getVirtualItems();
  const first = (shown[0]?.index ?? 0) * columns;
  const last = ((shown.at(-1)?.index ?? 0) + 1) * columns - 1;
  useEffect(() => setRange({ first, last }), [first, last]);
  useEffect(() => rows.measure(), [rows, side]);
  const { at } = images;
  useEffect(() => {
    const here = Array.from({ length: last - first + 1 }, (_, step) => at(first + step));
    onShown(here.filter((image) => image !== undefined));
  }, [at, first, last, onShown]);
  const pick = useCallback(
    (place: number, event: MouseEvent) => {
      const image = at(place);
      if (!image) return;
      setCurrent(place);
      const marked = (event.target as Element).closest("[data-mark]") !== null;
      if (event.shiftKey) onRange(selection.anchor, place);
      else if (marked || event.ctrlKey || event.metaKey || selection.ids.size) onSelect(toggled(selection, image.id, place));
      else onOpen(image, place);
    },
    [at, selection, onSelect, onOpen, onRange],
  );
  const focus = (place: number): void => {
    setCurrent(place);
    rows.scrollToIndex(Math.floor(place / columns));
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus({ preventScroll: true }),
    );
  };
  const press = (event: KeyboardEvent): void => {
    const image = at(current);
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? side) / (side + GAP_PX)));
    const to = moved(event.key, current, columns, count, page);
    if (to !== undefined) {
      event.preventDefault();
      if (event.shiftKey) onRange(selection.anchor, to);
      else if (!selection.ids.size) onSelect({ ...selection, anchor: to });
      focus(to);
    } else if (event.key === " " && image) {
      event.preventDefault();
      onSelect(toggled(selection, image.id, current));
    } else if (event.key === "Enter" && image) {
      onOpen(image, current);
    } else if (event.key === "Escape") {
      onSelect(NOTHING);
    } else {
      props.onKey(event);
    }
  };
  if (images.error) return <Failure error={images.error} retry={images.retry} />;
  if (images.count === 0) return props.empty;
  return (
    <div ref={scroller} className={classes.scroller} data-testid="grid">
      <div ref={sized}>
        {images.count === undefined ? (
          <Loading />
        ) : (
          <div
            role="grid"
            tabIndex={-1}
            aria-label={text.images.grid}
            aria-multiselectable="true"
            aria-rowcount={Math.ceil(count / columns)}
            aria-colcount={columns}
            style={{ height: rows.getTotalSize(), position: "relative" }}
            onKeyDown={press}
          >
            {shown.map((row) => (
              <div
                key={row.key}
                role="row"
                aria-rowindex={row.index + 1}
                className={classes.row}
                style={{
                  transform: `translateY(${row.start}px)`,
                  height: side,
                  gridTemplateColumns: `repeat(${columns}, ${side}px)`,
                }}
              >
                {Array.from({ length: Math.min(columns, count - row.index * columns) }, (_, column) => {
                  const place = row.index * columns + column;
                  const image = at(place);
                  return (
                    <ImageCell
                      key={place}
                      image={image && props.hidden.has(image.id) ? undefined : image}
                      place={place}
                      selected={image !== undefined && selection.ids.has(image.id)}
                      current={place === Math.min(current, count - 1)}
                      looks={looks}
                      wrong={image !== undefined && props.wrong.has(image.id)}
                      onPick={pick}
                    />
                  );
                })}
              </div>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
