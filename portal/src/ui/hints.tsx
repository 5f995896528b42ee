/** What elements say of themselves in `data-hint`, shown while the pointer rests on them or the keyboard is at them. */
import { type ReactElement, useEffect, useLayoutEffect, useRef, useState } from "react";

const RESTS_MS = 300;
const GAP_PX = 6;

interface Shown {
  of: Element;
  words: string;
}

/** The name of a button that shows only its sign, for screen readers and for eyes. */
export const named = (label: string): object => ({ "aria-label": label, "data-hint": label });

/** What a button with words means by them. */
export const described = (hint: string): object => ({ "aria-description": hint, "data-hint": hint });

/** One for the whole page: a library's, one around each button, weighed a tenth of the first page. */
export function Hints(): ReactElement | null {
  const [shown, setShown] = useState<Shown | null>(null);
  const bubble = useRef<HTMLDivElement>(null);
  useEffect(() => listening(setShown), []);
  useLayoutEffect(() => {
    if (!shown || !bubble.current) return;
    const { style, offsetWidth, offsetHeight } = bubble.current;
    const of = shown.of.getBoundingClientRect();
    const left = of.left + (of.width - offsetWidth) / 2;
    const above = of.top - offsetHeight - GAP_PX;
    style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - offsetWidth - GAP_PX))}px`;
    style.top = `${above < GAP_PX ? of.bottom + GAP_PX : above}px`;
  }, [shown]);
  if (!shown) return null;
  return (
    <div ref={bubble} role="tooltip" className="hint">
      {shown.words}
    </div>
  );
}

function listening(show: (shown: Shown | null) => void): () => void {
  let timer = 0;
  const look = (target: EventTarget | null, afterMs: number): void => {
    const of = target instanceof Element ? target.closest("[data-hint]") : null;
    clearTimeout(timer);
    if (!of) return show(null);
    timer = window.setTimeout(() => {
      const words = of.getAttribute("data-hint");
      show(words && of.isConnected ? { of, words } : null);
    }, afterMs);
  };
  const rests = (event: Event): void => look(event.target, RESTS_MS);
  // A press may have changed what there is to say, such as from "Copy" to "Copied".
  const again = (event: Event): void => look(event.target, 0);
  const focused = (event: Event): void => {
    if (event.target instanceof Element && event.target.matches(":focus-visible")) look(event.target, RESTS_MS);
  };
  const ended = (event: Event): void => {
    if (!(event instanceof KeyboardEvent) || event.key === "Escape") look(null, 0);
  };
  const heard: [string, (event: Event) => void][] = [
    ["pointerover", rests],
    ["click", again],
    ["focusin", focused],
    ["focusout", ended],
    ["keydown", ended],
    ["scroll", ended],
  ];
  for (const [name, hear] of heard) addEventListener(name, hear, true);
  return () => {
    clearTimeout(timer);
    for (const [name, hear] of heard) removeEventListener(name, hear, true);
  };
}
