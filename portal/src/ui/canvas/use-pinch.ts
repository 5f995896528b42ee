/** Two fingers on a picture: apart and together they zoom it, side by side they push it. */
import { type PointerEvent, useRef } from "react";

import type { Zoom } from "#/ui/canvas/use-zoom.ts";

interface Point {
  x: number;
  y: number;
}

type Handler = (event: PointerEvent<HTMLElement>) => void;

export interface Pinch {
  onPointerDownCapture: Handler;
  onPointerMoveCapture: Handler;
  onPointerUpCapture: Handler;
  onPointerCancelCapture: Handler;
}

/** The second finger ends what the first one drags (`onBegin`); nothing else hears of the two until both are lifted. */
export function usePinch({ viewport, zoomBy }: Zoom, onBegin: () => void): Pinch {
  const fingers = useRef(new Map<number, Point>());
  const pinching = useRef(false);
  const middle = (): Point & { apart: number } => {
    const [one, other] = [...fingers.current.values()] as [Point, Point];
    return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
  };
  const lifted: Handler = (event) => {
    fingers.current.delete(event.pointerId);
    if (pinching.current) event.stopPropagation();
    pinching.current &&= fingers.current.size > 0;
  };
  return {
    onPointerDownCapture: (event) => {
      if (event.pointerType !== "touch") return;
      fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.current.size < 2) return;
      if (!pinching.current) onBegin();
      pinching.current = true;
      event.stopPropagation();
    },
    onPointerMoveCapture: (event) => {
      const before = pinching.current && fingers.current.size === 2 ? middle() : null;
      if (fingers.current.has(event.pointerId)) fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (!pinching.current) return;
      event.stopPropagation();
      if (!before) return;
      const now = middle();
      viewport.current?.scrollBy(before.x - now.x, before.y - now.y);
      zoomBy(now.apart / Math.max(1, before.apart), now);
    },
    onPointerUpCapture: lifted,
    onPointerCancelCapture: lifted,
  };
}
