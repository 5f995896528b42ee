/** A selection in a long row of things by their places: one by one, by range, all. */

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** The place from which a range goes. */
  readonly anchor: number;
}

export const NOTHING: Selection = { ids: new Set(), anchor: 0 };

export function toggled(selection: Selection, id: string, place: number): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: place };
}

/** Add a range; the next one goes from the same place. */
export const extended = (selection: Selection, ids: readonly string[], anchor: number): Selection => ({
  ids: new Set([...selection.ids, ...ids]),
  anchor,
});

/** The place that a key leads to in a grid of so many columns; undefined: it leads nowhere. */
export function moved(key: string, place: number, columns: number, count: number, page: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  if (step === undefined || count === 0) return undefined;
  const to = place + step;
  if (Math.abs(step) === columns && (to < 0 || to >= count)) return place;
  return Math.min(count - 1, Math.max(0, to));
}
