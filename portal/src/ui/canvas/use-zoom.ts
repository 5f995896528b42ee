/** How large a picture is shown: fitted to its place, or larger and scrolled. */
import { useElementSize } from "@mantine/hooks";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { clamped } from "#/lib/geometry.ts";

const STEP = 1.25;
const MOST = 16;
const MARGIN_PX = 16;

export interface Zoom {
  /** Measured to fit the picture in. */
  room: (element: HTMLElement | null) => void;
  viewport: RefObject<HTMLDivElement | null>;
  stage: RefObject<HTMLDivElement | null>;
  width: number;
  height: number;
  zoom: number;
  zoomBy: (factor: number, about?: { x: number; y: number }) => void;
  zoomIn: () => void;
  zoomOut: () => void;
  fit: () => void;
}

export function useZoom(picture: { width: number; height: number }): Zoom {
  const { ref: room, width: roomWidth, height: roomHeight } = useElementSize<HTMLElement>();
  const viewport = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const kept = useRef<Place | null>(null);
  const [zoom, setZoom] = useState(1);
  const fitting = Math.min((roomWidth - MARGIN_PX) / picture.width, (roomHeight - MARGIN_PX) / picture.height);
  const scale = Math.max(0, fitting) * zoom;

  const zoomBy = useCallback((factor: number, at?: { x: number; y: number }) => {
    kept.current = place(viewport.current, stage.current, at);
    setZoom((now) => clamped(now * factor, 1, MOST));
  }, []);

  // What was under the pointer, or in the middle, is there again.
  useLayoutEffect(() => {
    const [box, held] = [stage.current?.getBoundingClientRect(), kept.current];
    if (!box || !held || !viewport.current) return;
    kept.current = null;
    viewport.current.scrollLeft += box.left + held.right * box.width - held.x;
    viewport.current.scrollTop += box.top + held.down * box.height - held.y;
  }, [zoom]);

  // React listens to the wheel passively, where the browser's own zoom cannot be held back.
  useEffect(() => {
    const element = viewport.current;
    const turned = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
    };
    element?.addEventListener("wheel", turned, { passive: false });
    return () => element?.removeEventListener("wheel", turned);
  }, [zoomBy]);

  return {
    room,
    viewport,
    stage,
    width: Math.floor(picture.width * scale),
    height: Math.floor(picture.height * scale),
    zoom,
    zoomBy,
    zoomIn: useCallback(() => zoomBy(STEP), [zoomBy]),
    zoomOut: useCallback(() => zoomBy(1 / STEP), [zoomBy]),
    fit: useCallback(() => setZoom(1), []),
  };
}

/** A point on the screen, and where it is on the picture. */
interface Place {
  x: number;
  y: number;
  right: number;
  down: number;
}

function place(viewport: HTMLElement | null, stage: HTMLElement | null, at?: { x: number; y: number }): Place | null {
  if (!viewport || !stage) return null;
  const [view, box] = [viewport.getBoundingClientRect(), stage.getBoundingClientRect()];
  const { x, y } = at ?? { x: view.left + view.width / 2, y: view.top + view.height / 2 };
  return { x, y, right: (x - box.left) / box.width, down: (y - box.top) / box.height };
}
