/** States that can be gone back to: undo and redo. */

const MOST = 200;
const MERGED_MS = 900;

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What the last step was, and when: steps of the same name that follow at once are one. */
  readonly step: { readonly name: string; readonly at: number };
}

export const begun = <T>(present: T): History<T> => ({ past: [], present, future: [], step: { name: "", at: 0 } });

/** Go on to a new state. Steps of one name in quick succession, such as of a key that is held, are undone together. */
export function went<T>(history: History<T>, present: T, name = "", at = 0): History<T> {
  const merged = name !== "" && history.step.name === name && at - history.step.at < MERGED_MS && history.past.length > 0;
  const past = merged ? history.past : [...history.past, history.present].slice(-MOST);
  return { past, present, future: [], step: { name, at } };
}

export function undone<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    step: { name: "", at: 0 },
  };
}

export function redone<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.present], present: after, future, step: { name: "", at: 0 } };
}
