/** The boxes of one picture while they are drawn: own state with undo and redo, not the cache of what the server said. */
import { useCallback, useMemo, useReducer, useState } from "react";

import type { Box } from "#/lib/geometry.ts";
import { begun, type History, redone, undone, went } from "#/lib/history.ts";
import type { DrawnBox } from "#/ui/canvas/types.ts";

type List = readonly DrawnBox[];
type Step = { kind: "undo" } | { kind: "redo" } | { kind: "go"; next: (now: List) => List; name: string };

export interface Boxes {
  boxes: List;
  selected: string | null;
  /** The tag that was given last, or chosen beforehand: new boxes probably get it. */
  active: string;
  canUndo: boolean;
  canRedo: boolean;
  select: (key: string | null) => void;
  activate: (tagId: string) => void;
  /** Add boxes in one step and select the last. */
  add: (boxes: readonly (Box & { tagId: string })[]) => void;
  /** Changes of one name that follow at once are one step. */
  change: (key: string, box: Box, name?: string) => void;
  tag: (key: string, tagId: string) => void;
  remove: (key: string) => void;
  undo: () => void;
  redo: () => void;
}

let made = 0;
/** A name for a box that no other box on this page has. */
export const newKey = (): string => `box-${(made += 1)}`;

function stepped(history: History<List>, step: Step & { at: number }): History<List> {
  if (step.kind === "undo") return undone(history);
  if (step.kind === "redo") return redone(history);
  const next = step.next(history.present);
  return next === history.present ? history : went(history, next, step.name, step.at);
}

export function useBoxes(first: List): Boxes {
  const [history, dispatch] = useReducer(stepped, first, begun);
  const [selected, select] = useState<string | null>(null);
  const [active, activate] = useState("");
  const go = useCallback(
    (next: (now: List) => List, name = "") => dispatch({ kind: "go", next, name, at: Date.now() }),
    [],
  );
  const acts = useMemo(
    () => ({
      add: (boxes: readonly (Box & { tagId: string })[]): void => {
        const drawn = boxes.map(({ left, top, width, height, tagId }) => ({ key: newKey(), tagId, left, top, width, height }));
        go((now) => [...now, ...drawn]);
        const last = drawn.at(-1);
        if (!last) return;
        select(last.key);
        activate(last.tagId);
      },
      change: (key: string, box: Box, name?: string): void => go((now) => replaced(now, key, box), name && `${name} ${key}`),
      tag: (key: string, tagId: string): void => {
        go((now) => replaced(now, key, { tagId }));
        activate(tagId);
      },
      remove: (key: string): void => {
        go((now) => now.filter((box) => box.key !== key));
        select(null);
      },
      undo: (): void => dispatch({ kind: "undo", at: 0 }),
      redo: (): void => dispatch({ kind: "redo", at: 0 }),
    }),
    [go],
  );
  const boxes = history.present;
  return {
    ...acts,
    boxes,
    selected: boxes.some((box) => box.key === selected) ? selected : null,
    active,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    select,
    activate,
  };
}

function replaced(now: List, key: string, changed: Partial<DrawnBox>): List {
  return now.map((box) => (box.key === key ? { ...box, ...changed } : box));
}
