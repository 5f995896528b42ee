/** What a pointer does on a picture: draw, move and resize boxes, push the picture, take up what is offered. */
import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";

import { between, type Box, type Handle, hit, LEAST, moved, type Point, resized } from "#/lib/geometry.ts";
import type { Painter } from "#/ui/canvas/drag-layer.tsx";
import type { DrawnBox, Ghost } from "#/ui/canvas/types.ts";

/** Less than this is a click. */
const DRAG_PX = 3;

export interface Gestures {
  boxes: readonly DrawnBox[];
  selected: string | null;
  ghosts: readonly Ghost[];
  proposals: readonly Box[];
  editable: boolean;
  /** The tag that a new box will probably get: its colour while it is drawn. */
  tagId: string;
  onSelect: (key: string | null) => void;
  onDrawn: (box: Box) => void;
  onChanged: (key: string, box: Box) => void;
  onAccept: (ghost: Ghost) => void;
}

interface Drag {
  kind: "draw" | "move" | "resize" | "pan";
  from: Point;
  box: DrawnBox;
  handle: Handle;
  /** The picture's place on the screen when it began, and the pointer's. */
  ground: DOMRect;
  x: number;
  y: number;
  far: boolean;
}

type Handler = (event: PointerEvent<HTMLElement>) => void;

export interface Handlers {
  held: string | null;
  /** Let go of what is dragged, as if nothing had been. */
  end: () => void;
  handlers: {
    onPointerDown: Handler;
    onPointerMove: Handler;
    onPointerUp: Handler;
    onPointerCancel: Handler;
    onPointerLeave: Handler;
  };
}

export function useGestures(
  given: Gestures,
  painter: RefObject<Painter | null>,
  viewport: RefObject<HTMLElement | null>,
): Handlers {
  const drag = useRef<Drag | null>(null);
  const space = useSpace();
  const [held, setHeld] = useState<string | null>(null);

  const end = (): void => {
    drag.current = null;
    painter.current?.drag(null);
    setHeld(null);
  };

  // Escape lets go of what is dragged, as if nothing had been.
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || !drag.current) return;
      event.stopPropagation();
      drag.current = null;
      painter.current?.drag(null);
      setHeld(null);
    };
    addEventListener("keydown", pressed, true);
    return () => removeEventListener("keydown", pressed, true);
  }, [painter]);

  const onPointerDown: Handler = (event) => {
    const pushes = event.button === 1 || (event.button === 0 && space.current);
    if (drag.current || (event.button !== 0 && !pushes)) return;
    const begun = beginning(event, given, pushes);
    drag.current = begun;
    event.currentTarget.setPointerCapture(event.pointerId);
    if (begun.kind === "move") given.onSelect(begun.box.key);
    if (begun.kind !== "pan") focus(event.currentTarget, viewport.current, begun.box.key);
  };

  const onPointerMove: Handler = (event) => {
    const now = drag.current;
    if (!now) {
      hover(event, given, painter.current);
      return;
    }
    const [dx, dy] = [event.clientX - now.x, event.clientY - now.y];
    if (now.kind === "pan") {
      viewport.current?.scrollBy(-dx, -dy);
      drag.current = { ...now, x: event.clientX, y: event.clientY };
      return;
    }
    if (!now.far && Math.hypot(dx, dy) < DRAG_PX) return;
    if (!given.editable) return;
    if (!now.far && now.kind !== "draw") setHeld(now.box.key);
    now.far = true;
    painter.current?.drag(outcome(now, event));
  };

  const onPointerUp: Handler = (event) => {
    const now = drag.current;
    if (!now) return;
    end();
    if (now.kind === "pan" || !given.editable) return;
    if (!now.far) clicked(now, given);
    else if (now.kind !== "draw") given.onChanged(now.box.key, place(outcome(now, event)));
    else {
      const box = place(outcome(now, event));
      if (box.width >= LEAST && box.height >= LEAST) given.onDrawn(box);
    }
  };

  const onPointerLeave: Handler = () => painter.current?.hover(null);
  return { held, end, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: end, onPointerLeave } };
}

const place = ({ left, top, width, height }: Box): Box => ({ left, top, width, height });

const pointAt = (event: { clientX: number; clientY: number }, ground: DOMRect): Point => ({
  x: (event.clientX - ground.left) / ground.width,
  y: (event.clientY - ground.top) / ground.height,
});

function beginning(event: PointerEvent<HTMLElement>, given: Gestures, pushes: boolean): Drag {
  const ground = event.currentTarget.getBoundingClientRect();
  const from = pointAt(event, ground);
  const handle = (event.target as Element).getAttribute("data-handle") as Handle | null;
  const selected = given.boxes.find((box) => box.key === given.selected);
  const under = event.shiftKey ? undefined : hit(given.boxes, from);
  const drawn: DrawnBox = { key: "", tagId: given.tagId, left: from.x, top: from.y, width: 0, height: 0 };
  const begun = { from, ground, x: event.clientX, y: event.clientY, far: false, handle: handle ?? "se" } as const;
  if (pushes) return { ...begun, kind: "pan", box: drawn };
  if (handle && selected) return { ...begun, kind: "resize", box: selected };
  return under ? { ...begun, kind: "move", box: under } : { ...begun, kind: "draw", box: drawn };
}

/** The box as it is after a drag to where the pointer is. */
function outcome({ kind, from, box, handle, ground }: Drag, event: PointerEvent<HTMLElement>): DrawnBox {
  const to = pointAt(event, ground);
  if (kind === "draw") return { ...box, ...between(from, to) };
  if (kind === "move") return { ...box, ...moved(box, to.x - from.x, to.y - from.y) };
  return { ...box, ...resized(box, handle, to.x - from.x, to.y - from.y) };
}

/** A click on free ground takes up what is offered there, or ends the selection. */
function clicked(now: Drag, given: Gestures): void {
  if (now.kind !== "draw") return;
  const ghost = hit(given.ghosts, now.from);
  const proposal = hit(given.proposals, now.from);
  if (ghost) given.onAccept(ghost);
  else if (proposal) given.onDrawn(place(proposal));
  else given.onSelect(null);
}

function hover(event: PointerEvent<HTMLElement>, given: Gestures, painter: Painter | null): void {
  const at = pointAt(event, event.currentTarget.getBoundingClientRect());
  const on = hit(given.boxes, at);
  const offered = on ? undefined : hit(given.ghosts, at);
  event.currentTarget.style.cursor = cursor(given.editable, Boolean(on), Boolean(offered));
  if (given.editable) painter?.hover(on || offered ? null : (hit(given.proposals, at) ?? null));
}

function cursor(editable: boolean, on: boolean, offered: boolean): string {
  if (!editable) return on ? "pointer" : "default";
  if (on) return "move";
  return offered ? "pointer" : "crosshair";
}

function focus(surface: HTMLElement, viewport: HTMLElement | null, key: string): void {
  const element = key ? surface.querySelector<SVGElement>(`[data-key="${key}"]`) : viewport;
  element?.focus({ preventScroll: true });
}

/** Whether the space bar is held down: then a drag pushes the picture. */
function useSpace(): RefObject<boolean> {
  const down = useRef(false);
  useEffect(() => {
    const heard = (event: KeyboardEvent): void => {
      if (event.code !== "Space" || (event.target as Element).closest("input, textarea, button, a")) return;
      down.current = event.type === "keydown";
      event.preventDefault();
    };
    addEventListener("keydown", heard);
    addEventListener("keyup", heard);
    return () => {
      removeEventListener("keydown", heard);
      removeEventListener("keyup", heard);
    };
  }, []);
  return down;
}
