/** Pictures that are dropped or pasted anywhere on the page. */
import { useEffect, useEffectEvent, useState } from "react";

import { chosen, dropped, type Found } from "#/lib/dropped.ts";

type Take = ((found: Found[]) => void) | undefined | false;

/** Take what is dropped, folders and all; returns whether files are held over the page just now. */
export function useDropped(take: Take): boolean {
  const [over, setOver] = useState(false);
  const heard = useEffectEvent((event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    setOver(event.type === "dragover");
    if (event.type === "drop" && take) void dropped(event.dataTransfer).then(take);
  });
  useEffect(() => {
    const dragged = (event: DragEvent): void => heard(event);
    const left = (event: DragEvent): void => {
      if (!event.relatedTarget) setOver(false);
    };
    addEventListener("dragover", dragged);
    addEventListener("drop", dragged);
    addEventListener("dragleave", left);
    return () => {
      removeEventListener("dragover", dragged);
      removeEventListener("drop", dragged);
      removeEventListener("dragleave", left);
    };
  }, []);
  return over && Boolean(take);
}

export function usePasted(take: Take): void {
  const heard = useEffectEvent((event: ClipboardEvent) => {
    const found = chosen(event.clipboardData?.files ?? []);
    if (!found.length || !take) return;
    event.preventDefault();
    take(found);
  });
  useEffect(() => {
    const pasted = (event: ClipboardEvent): void => heard(event);
    addEventListener("paste", pasted);
    return () => removeEventListener("paste", pasted);
  }, []);
}
