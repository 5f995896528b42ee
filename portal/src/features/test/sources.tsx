/** Where pictures to test come from: files, the camera, the web; and, on the whole page, dropping and pasting. */
import { Button, FileButton, Group, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type DragEvent, type FormEvent, type ReactElement, useEffect, useEffectEvent, useState } from "react";

import { CameraDialog } from "#/features/test/camera.tsx";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";

const words = text.test;

interface Props {
  busy: boolean;
  onFiles: (files: readonly File[]) => void;
  onPhoto: (photo: Blob) => void;
  /** Undefined for roles that may not have the server fetch a picture for showing. */
  onUrl: ((url: string) => Promise<boolean>) | undefined;
}

export function Sources({ busy, onFiles, onPhoto, onUrl }: Props): ReactElement {
  const [camera, { open, close }] = useDisclosure(false);
  const [url, setUrl] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (onUrl && (await onUrl(url.trim()))) setUrl("");
  };
  return (
    <Group gap="xs" align="flex-end">
      <FileButton multiple accept="image/*" onChange={onFiles} inputProps={{ "aria-label": words.files }}>
        {(props) => (
          <Button {...props} leftSection={<Icon name="upload" />}>
            {words.files}
          </Button>
        )}
      </FileButton>
      <Button variant="default" leftSection={<Icon name="camera" />} onClick={open}>
        {words.camera}
      </Button>
      {onUrl && (
        <form onSubmit={(event) => void submit(event)}>
          <Group gap="xs" wrap="nowrap">
            <TextInput
              type="url"
              required
              aria-label={words.url}
              placeholder="https://…"
              value={url}
              onChange={(event) => setUrl(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" loading={busy}>
              {words.go}
            </Button>
          </Group>
        </form>
      )}
      <CameraDialog
        opened={camera}
        onClose={close}
        onPhoto={(photo) => {
          close();
          onPhoto(photo);
        }}
      />
    </Group>
  );
}

/** Take pictures that are pasted anywhere on the page. */
export function usePasted(take: (files: readonly File[]) => void): void {
  const pasted = useEffectEvent((event: ClipboardEvent) => {
    const files = picturesOf(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });
  useEffect(() => {
    const heard = (event: ClipboardEvent): void => pasted(event);
    addEventListener("paste", heard);
    return () => removeEventListener("paste", heard);
  }, []);
}

/** Props for an element onto which pictures are dropped. */
export function useDropped(take: (files: readonly File[]) => void): object {
  const [over, setOver] = useState(false);
  return {
    "data-over": over || undefined,
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      take(picturesOf(event.dataTransfer));
    },
  };
}

const picturesOf = (given: DataTransfer | null): File[] =>
  [...(given?.files ?? [])].filter((file) => file.type.startsWith("image/"));
