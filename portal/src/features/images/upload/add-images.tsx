/** The button that adds files and folders. */
import { Button } from "@mantine/core";
import { type ReactElement, useRef } from "react";

import { chosen, type Found } from "#/lib/dropped.ts";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { Menu } from "#/ui/menu.tsx";

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
      <Menu
        button={
          <Button size="xs" leftSection={<Icon name="upload" size={16} />}>
            {text.images.add}
          </Button>
        }
        items={[
          [
            { label: text.images.addFiles, icon: "images", act: () => files.current?.click() },
            { label: text.images.addFolder, icon: "upload", act: () => folder.current?.click() },
          ],
        ]}
      />
    </>
  );
}
