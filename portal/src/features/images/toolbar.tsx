/** What can be done: add images; and with a selection, tag, untag, set aside, delete. */
import { ActionIcon, Button, Group, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { setAside } from "#/api/images.ts";
import type { Image, Project } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { done, failed } from "#/app/undo.tsx";
import type { Labelling } from "#/app/use-labelling.ts";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import { TagField } from "#/ui/canvas/tag-field.tsx";
import { named } from "#/ui/hints.tsx";
import { Icon } from "#/ui/icons.tsx";
import { Menu } from "#/ui/menu.tsx";

import classes from "./images.module.css";

interface Props {
  project: Project;
  labelling: Labelling;
  total: number | undefined;
  chosen: readonly Image[];
  /** Whether tags are given to whole images: detectors have boxes. */
  tagging: boolean;
  workspace: boolean;
  add: ReactNode;
  onAll: () => void;
  onClear: () => void;
  onDelete: () => void;
}

export function Toolbar(props: Props): ReactElement {
  const may = useMay("label");
  const { chosen, total } = props;
  return (
    <Group className={classes.toolbar} justify="space-between" gap="xs" role="toolbar" aria-label={text.images.grid}>
      {chosen.length > 0 ? (
        <>
          <Group gap="xs">
            <Text size="sm" fw={600} role="status">
              {text.images.selected(count(chosen.length))}
            </Text>
            <Button size="xs" variant="subtle" onClick={props.onClear}>
              {text.images.clear}
            </Button>
          </Group>
          {may && props.workspace && <Actions {...props} />}
        </>
      ) : (
        <>
          <Group gap="xs">
            <Text size="sm" c="var(--quiet)" role="status">
              {total === undefined ? "" : text.images.total(count(total))}
            </Text>
            {total ? (
              <Button size="xs" variant="subtle" onClick={props.onAll}>
                {text.images.selectAll}
              </Button>
            ) : null}
          </Group>
          {may && props.add}
        </>
      )}
    </Group>
  );
}

function Actions({ project, labelling, chosen, tagging, onClear, onDelete }: Props): ReactElement {
  const looks = useLooks(labelling.tags);
  const borne = labelling.tags.filter((tag) => chosen.some((image) => image.tags?.some((each) => each.tagId === tag.id)));
  return (
    <Group gap="xs">
      {tagging && (
        <TagField
          label={text.images.tagPlaceholder}
          tags={labelling.tags}
          looks={looks}
          onChoose={(id) => {
            const tag = labelling.tags.find((each) => each.id === id);
            if (tag) void labelling.give(chosen, tag);
          }}
          onCreate={(name) => labelling.giveNamed(chosen, name)}
          list="floating"
          size="xs"
        />
      )}
      <Menu
        button={
          <Button size="xs" variant="default" disabled={!borne.length}>
            {text.images.untag}
          </Button>
        }
        items={[
          [{ label: text.images.untagAll, act: () => void labelling.take(chosen) }],
          borne.map((tag) => ({ label: tag.name, act: () => void labelling.take(chosen, [tag.id]) })),
        ]}
      />
      <Button size="xs" variant="default" onClick={() => void putAside(project.id, chosen).then(onClear, failed)}>
        {text.images.aside}
      </Button>
      <ActionIcon variant="default" size={30} {...named(text.images.delete)} onClick={onDelete}>
        <Icon name="trash" size={16} />
      </ActionIcon>
    </Group>
  );
}

async function putAside(project: string, images: readonly Image[]): Promise<void> {
  const ids = images.map((image) => image.id);
  await setAside(project, ids, true);
  done(text.images.asideDone(ids.length), () => setAside(project, ids, false));
}
