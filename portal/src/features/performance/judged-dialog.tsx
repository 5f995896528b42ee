/** A judged image in large, with all that was said of it. */
import { Anchor, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { Link } from "wouter";

import { near } from "#/api/client.ts";
import type { ScoredTag, VerdictImage } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { boxLabel, Boxes, Swatch } from "#/features/performance/judged-boxes.tsx";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./performance.module.css";

const words = text.performance.mistakes;

interface Props {
  project: string;
  image: VerdictImage;
  alt: string;
  onClose: () => void;
}

export function JudgedDialog({ project, image, alt, onClose }: Props): ReactElement {
  return (
    <Modal opened onClose={onClose} title={alt} size="xl">
      <Stack>
        <div className={classes.photo}>
          <img className={classes.large} src={near(image.resizedImageUri)} alt={alt} />
          <Boxes image={image} />
        </div>
        {image.boxes.length > 0 ? <BoxList image={image} /> : <Tags image={image} />}
        {image.inWorkspace ? (
          <Anchor component={Link} href={paths.image(project, image.id)} size="sm">
            {words.edit}
          </Anchor>
        ) : (
          <Text size="sm">{words.deleted}</Text>
        )}
      </Stack>
    </Modal>
  );
}

function BoxList({ image }: { image: VerdictImage }): ReactElement {
  return (
    <Stack component="ul" gap={4} p={0} m={0} style={{ listStyle: "none" }}>
      {image.boxes.map((box, at) => (
        <Group key={at} component="li" gap="xs" wrap="nowrap">
          <Swatch verdict={box.verdict} />
          <Text size="sm">{boxLabel(box)}</Text>
        </Group>
      ))}
    </Stack>
  );
}

function Tags({ image }: { image: VerdictImage }): ReactElement {
  return (
    <Group gap="xl" align="flex-start">
      <Listed title={words.isTitle} tags={image.tags} />
      <Listed title={words.saidTitle} tags={image.likeliest ? [image.likeliest] : []} />
    </Group>
  );
}

function Listed({ title, tags }: { title: string; tags: ScoredTag[] }): ReactElement {
  return (
    <div>
      <Text size="xs" c="var(--quiet)">
        {title}
      </Text>
      {tags.map((tag) => (
        <Text key={tag.id} size="sm">
          <b>{tag.name}</b> {percent(tag.probability)}
        </Text>
      ))}
      {!tags.length && <Text size="sm">{words.nothing}</Text>}
    </div>
  );
}
