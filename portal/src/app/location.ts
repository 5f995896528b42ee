/** The place in the portal: a path and a query after `#`, so that one page at any address is all of it. */
import { useCallback, useMemo, useSyncExternalStore } from "react";

/** Tells whether one may go to a place just now; if not, it sees to the rest. */
type Guard = (to: string) => boolean;

let guard: Guard | null = null;
let was = "";

/** Have somebody asked before the place changes, also by the browser's Back; returns how to end that. */
export function guarded(by: Guard): () => void {
  guard = by;
  was = place();
  return () => {
    if (guard === by) guard = null;
  };
}

// Before all others who listen: where one may not go, nobody hears of it.
addEventListener("hashchange", (event) => {
  if (guard && place() !== was && !guard(place())) {
    history.pushState(null, "", `#${was}`);
    event.stopImmediatePropagation();
  }
  was = place();
});

const listen = (heard: () => void): (() => void) => {
  addEventListener("hashchange", heard);
  return () => removeEventListener("hashchange", heard);
};
/** Where the page is: a path and a query. */
export const place = (): string => location.hash.replace(/^#?\/?/, "/");

/** Go to a place, as a new step of the browser's history or in the place of the present one. */
export function go(to: string, { replace = false } = {}): void {
  if (to === place()) return;
  if (replace) {
    history.replaceState(null, "", `#${to}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = to;
  }
}

/** For wouter: the path, and how to go elsewhere. */
export function usePath(): [string, typeof go] {
  const now = useSyncExternalStore(listen, place);
  return [now.split("?", 1)[0] ?? "/", go];
}

/** The query of the place, and how to set some of its values; an empty value goes. */
export function useQueryValues(): [URLSearchParams, (values: Record<string, string>) => void] {
  const now = useSyncExternalStore(listen, place);
  const values = useMemo(() => new URLSearchParams(now.split("?")[1] ?? ""), [now]);
  const set = useCallback((changed: Record<string, string>) => {
    const [path, query] = place().split("?");
    const made = new URLSearchParams(query ?? "");
    for (const [name, value] of Object.entries(changed)) {
      if (value) made.set(name, value);
      else made.delete(name);
    }
    go(made.size ? `${path}?${made}` : (path ?? "/"), { replace: true });
  }, []);
  return [values, set];
}
