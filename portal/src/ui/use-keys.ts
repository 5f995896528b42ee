/** Keys of a page: they act wherever the focus is, but where it means something else there, such as in a text field. */
import { useEffect, useEffectEvent } from "react";

/** Where keys belong to what has the focus. */
const OWN =
  "input:not([type=checkbox]), textarea, select, [contenteditable], [role=slider], [role=dialog], [role=menu], [role=listbox]";
/** What these press, if anything. */
const PRESSED = "button, a, summary, label, input";

/** By names such as `ctrl+shift+z`, `shift+arrowleft`, `1` or `delete`; Ctrl stands for Command too. */
export type Keys = Record<string, ((event: KeyboardEvent) => void) | undefined | false>;

export function useKeys(keys: Keys): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    const act = keys[nameOf(event)];
    if (!act || elsewhere(event)) return;
    event.preventDefault();
    // What the page does with a key, nobody behind it does as well: one press undoes one thing.
    event.stopPropagation();
    act(event);
  });
  useEffect(() => {
    const heard = (event: KeyboardEvent): void => pressed(event);
    addEventListener("keydown", heard, true);
    return () => removeEventListener("keydown", heard, true);
  }, []);
}

function nameOf(event: KeyboardEvent): string {
  const held = [(event.ctrlKey || event.metaKey) && "ctrl", event.altKey && "alt", event.shiftKey && "shift"];
  return [...held.filter(Boolean), event.key.toLowerCase()].join("+");
}

function elsewhere(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.defaultPrevented || target?.closest(OWN)) return true;
  return (event.key === "Enter" || event.key === " ") && Boolean(target?.closest(PRESSED));
}
