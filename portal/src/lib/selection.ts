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

/** Add everything between the anchor and a place; what is not loaded has no id yet and is left out. */
export function extended(selection: Selection, place: number, idAt: (place: number) => string | undefined): Selection {
  const ids = new Set(selection.ids);
  const [from, to] = [Math.min(selection.anchor, place), Math.max(selection.anchor, place)];
  for (let at = from; at <= to; at += 1) {
    const id = idAt(at);
    if (id !== undefined) ids.add(id);
  }
  return { ids, anchor: selection.anchor };
}

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
