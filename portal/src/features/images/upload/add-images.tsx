/** The ways in: a button for files and folders, and the whole page as a place to drop them. */
import { Button, Menu } from "@mantine/core";
import { type ReactElement, useEffect, useRef, useState } from "react";

import { chosen, dropped, type Found } from "#/lib/dropped.ts";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";

export function AddButton({ onFound }: { onFound: (found: Found[]) => void }): ReactElement {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const picked = (input: HTMLInputElement): void => {
    onFound(chosen(input.files ?? []));
    input.value = "";
  };
  return (
    <>
      <input ref={files} type="file" multiple accept="image/*" hidden aria-label={text.images.addFiles} onChange={(event) => picked(event.currentTarget)} />
      <input ref={folder} type="file" hidden aria-label={text.images.addFolder} {...{ webkitdirectory: "" }} onChange={(event) => picked(event.currentTarget)} />
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="xs" leftSection={<Icon name="upload" size={16} />}>
            {text.images.add}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Icon name="images" />} onClick={() => files.current?.click()}>
            {text.images.addFiles}
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="upload" />} onClick={() => folder.current?.click()}>
            {text.images.addFolder}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

/** Whether files are held over the page just now; what is let go of is told. */
export function useDropped(onFound: (found: Found[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const carries = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent): void => {
      if (!carries(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (!event.relatedTarget) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!carries(event) || !event.dataTransfer) return;
      event.preventDefault();
      setOver(false);
      void dropped(event.dataTransfer).then(onFound);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [onFound]);
  return over;
}
