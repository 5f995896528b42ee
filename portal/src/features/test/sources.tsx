/** Where pictures to test come from, beside dropping and pasting: files, the camera, the web. */
import { Button, FileButton, Group, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type FormEvent, type ReactElement, useState } from "react";

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
