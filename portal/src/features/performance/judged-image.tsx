/** An image and what was said of it; of a detector with right, wrong and missed boxes. */
import { Group, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactElement } from "react";

import { near } from "#/api/client.ts";
import type { VerdictImage } from "#/api/types.ts";
import { JudgedDialog } from "#/features/performance/judged-dialog.tsx";
import { Boxes } from "#/features/performance/judged-boxes.tsx";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.mistakes;

interface Props {
  project: string;
  image: VerdictImage;
  /** What is judged: the one tag of an image, its several tags, or its boxes. */
  kind: "one" | "several" | "boxes";
  name: (tag: string) => string;
}

export function JudgedImage({ project, image, kind, name }: Props): ReactElement {
  const tags = image.tags.map((tag) => tag.name).join(", ") || words.nothing;
  const said = image.likeliest?.name ?? words.nothing;
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <UnstyledButton className={classes.shot} onClick={open}>
        <div className={classes.photo}>
          <img
            src={near(kind === "boxes" ? image.resizedImageUri : image.thumbnailUri)}
            alt={words.image(tags, said)}
            loading="lazy"
          />
          <Boxes image={image} />
        </div>
        <div style={{ padding: "8px 10px" }}>
          {kind === "one" && <Said image={image} tags={tags} />}
          {kind === "several" && <Several image={image} tags={tags} name={name} />}
          {kind === "boxes" && <Counts image={image} />}
        </div>
      </UnstyledButton>
      {opened && <JudgedDialog project={project} image={image} alt={words.image(tags, said)} onClose={close} />}
    </>
  );
}

function Said({ image, tags }: { image: VerdictImage; tags: string }): ReactElement {
  const best = image.likeliest;
  const own = image.tags[0];
  return (
    <>
      <Line label={words.is} value={tags} share={image.tags.length === 1 ? own?.probability : undefined} />
      <Line label={words.said} value={best?.name ?? words.nothing} share={best?.probability} />
      <Text size="xs" c="var(--quiet)">
        {image.share !== null && image.share < 1 && words.part(percent(image.share, 0))}
        {!image.inWorkspace && ` ${words.deleted}`}
      </Text>
    </>
  );
}

function Several({ image, tags, name }: Pick<Props, "image" | "name"> & { tags: string }): ReactElement {
  const named = (ids: string[]): string => ids.map(name).join(", ");
  return (
    <>
      <Line label={words.is} value={tags} />
      {image.missed.length > 0 && <Line label={words.legend["Missed"] ?? ""} value={named(image.missed)} />}
      {image.wrong.length > 0 && <Line label={words.legend["Wrong"] ?? ""} value={named(image.wrong)} />}
      {!image.inWorkspace && (
        <Text size="xs" c="var(--quiet)">
          {words.deleted}
        </Text>
      )}
    </>
  );
}

function Line({ label, value, share }: { label: string; value: string; share?: number | undefined }): ReactElement {
  return (
    <Group justify="space-between" wrap="nowrap" gap={6}>
      <Text size="sm" truncate title={value}>
        <Text span c="var(--quiet)" size="xs">
          {label}{" "}
        </Text>
        <Text span fw={600} size="sm">
          {value}
        </Text>
      </Text>
      {share !== undefined && (
        <Text size="xs" style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
          {percent(share)}
        </Text>
      )}
    </Group>
  );
}

function Counts({ image }: { image: VerdictImage }): ReactElement {
  const count = (verdict: string): number => image.boxes.filter((box) => box.verdict === verdict).length;
  return (
    <Text size="sm">
      {words.boxes(count("Wrong"), count("Missed"))}
      {!image.inWorkspace && ` · ${words.deleted}`}
    </Text>
  );
}

