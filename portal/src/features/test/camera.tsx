/** The dialog in which a photo is taken. */
import { Button, Modal, Stack, Text } from "@mantine/core";
import { type ReactElement, useEffect, useRef, useState } from "react";

import { failed } from "#/app/undo.tsx";
import { blobOf } from "#/features/test/pictures.ts";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { Note } from "#/ui/note.tsx";

import classes from "./test.module.css";

const words = text.test.cameraDialog;

interface Props {
  opened: boolean;
  onClose: () => void;
  onPhoto: (photo: Blob) => void;
}

export function CameraDialog({ opened, onClose, onPhoto }: Props): ReactElement {
  return (
    <Modal opened={opened} onClose={onClose} title={words.title} size="lg">
      <Camera onPhoto={onPhoto} />
    </Modal>
  );
}

type Trouble = "denied" | "missing" | "insecure";

function Camera({ onPhoto }: { onPhoto: (photo: Blob) => void }): ReactElement {
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  useEffect(() => {
    let stream: MediaStream | null = null;
    let gone = false;
    begin()
      .then((begun) => {
        stream = begun;
        if (gone) stop(begun);
        else if (video.current) video.current.srcObject = begun;
      })
      .catch((error: unknown) => setTrouble(troubleOf(error)));
    return () => {
      gone = true;
      if (stream) stop(stream);
    };
  }, []);

  const shoot = async (): Promise<void> => {
    if (!video.current) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.current.videoWidth, video.current.videoHeight];
    canvas.getContext("2d")?.drawImage(video.current, 0, 0);
    onPhoto(await blobOf(canvas));
  };

  if (trouble) {
    return (
      <div role="alert">
        <Note title={words[trouble]}>{words[`${trouble}Hint`]}</Note>
      </div>
    );
  }
  return (
    <Stack>
      {!ready && <Text size="sm">{words.starting}</Text>}
      <video
        ref={video}
        className={classes.video}
        aria-label={words.view}
        autoPlay
        muted
        playsInline
        onPlaying={() => setReady(true)}
      />
      <Button disabled={!ready} leftSection={<Icon name="camera" />} onClick={() => void shoot().catch(failed)} data-autofocus>
        {words.shoot}
      </Button>
    </Stack>
  );
}

class Insecure extends Error {}

async function begin(): Promise<MediaStream> {
  // Browsers hide the camera altogether from pages that are not secure.
  if (!navigator.mediaDevices) throw new Insecure();
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof Insecure) return "insecure";
  return error instanceof DOMException && error.name === "NotAllowedError" ? "denied" : "missing";
}
