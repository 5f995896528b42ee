/** Nobody leaves a picture before its changes are on the server, unless they say so. */
import { useCallback, useEffect, useRef, useState } from "react";

import { go, guarded } from "#/app/location.ts";

/** Something that is brought to the server. */
interface Saving {
  state: { kind: string };
  settled: () => Promise<boolean>;
}

export interface Leaving {
  /** Go to a place once all is saved; ask first, if it cannot be. */
  leave: (to: string) => void;
  /** Where one would go to and lose changes. */
  asks: string | null;
  stay: () => void;
  leaveAnyway: () => void;
}

export function useLeaving(saving: Saving): Leaving {
  const [asks, setAsks] = useState<string | null>(null);
  const sure = useRef(false);
  const leave = useCallback(
    (to: string) => void saving.settled().then((saved) => (saved ? go(to) : setAsks(to))),
    [saving],
  );

  useEffect(
    () =>
      guarded((to) => {
        if (saving.state.kind === "saved" || sure.current) return true;
        leave(to);
        return false;
      }),
    [saving, leave],
  );

  useEffect(() => {
    const clicked = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href^="#/"]') : null;
      if (!link || saving.state.kind === "saved" || event.ctrlKey || event.metaKey || event.button !== 0) return;
      event.preventDefault();
      event.stopPropagation();
      leave(link.hash.slice(1));
    };
    const closing = (event: BeforeUnloadEvent): void => {
      if (saving.state.kind !== "saved") event.preventDefault();
    };
    addEventListener("click", clicked, true);
    addEventListener("beforeunload", closing);
    return () => {
      removeEventListener("click", clicked, true);
      removeEventListener("beforeunload", closing);
    };
  }, [saving, leave]);

  return {
    leave,
    asks,
    stay: useCallback(() => setAsks(null), []),
    leaveAnyway: useCallback(() => {
      sure.current = true;
      if (asks) go(asks);
    }, [asks]),
  };
}
