/** The place in the portal: a path and a query after `#`, so that one page at any address is all of it. */
import { useCallback, useMemo, useSyncExternalStore } from "react";

const listen = (heard: () => void): (() => void) => {
  addEventListener("hashchange", heard);
  return () => removeEventListener("hashchange", heard);
};
const current = (): string => location.hash.replace(/^#?\/?/, "/");

/** Go to a place, as a new step of the browser's history or in the place of the present one. */
export function go(to: string, { replace = false } = {}): void {
  if (to === current()) return;
  if (replace) {
    history.replaceState(null, "", `#${to}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = to;
  }
}

/** For wouter: the path, and how to go elsewhere. */
export function usePath(): [string, typeof go] {
  const place = useSyncExternalStore(listen, current);
  return [place.split("?", 1)[0] ?? "/", go];
}

/** The query of the place, and how to set some of its values; an empty value goes. */
export function useQueryValues(): [URLSearchParams, (values: Record<string, string>) => void] {
  const place = useSyncExternalStore(listen, current);
  const values = useMemo(() => new URLSearchParams(place.split("?")[1] ?? ""), [place]);
  const set = useCallback((changed: Record<string, string>) => {
    const [path, query] = current().split("?");
    const made = new URLSearchParams(query ?? "");
    for (const [name, value] of Object.entries(changed)) {
      if (value) made.set(name, value);
      else made.delete(name);
    }
    go(made.size ? `${path}?${made}` : (path ?? "/"), { replace: true });
  }, []);
  return [values, set];
}
