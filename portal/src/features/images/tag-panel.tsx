/** The tags of a project with their counts: to filter by, to add, to rename, to delete. */
import { ActionIcon, Checkbox, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { DETECTION, useDomains } from "#/api/projects.ts";
import { createTag, NEGATIVE, tagsKey, updateTag, useTags } from "#/api/tags.ts";
import type { Project, Tag } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import type { Asked } from "#/features/images/tag-dialog.tsx";
import { count } from "#/lib/format.ts";
import { readiness } from "#/lib/readiness.ts";
import { text } from "#/text/index.ts";
import { lookOf, useLooks } from "#/ui/canvas/looks.ts";
import { named } from "#/ui/hints.tsx";
import { Icon } from "#/ui/icons.tsx";
import { later } from "#/ui/later.tsx";
import { type Item, Menu } from "#/ui/menu.tsx";

import classes from "./images.module.css";

const TagDialog = later(() => import("#/features/images/tag-dialog.tsx"));

interface Props {
  project: Project;
  values: URLSearchParams;
  onChange: (values: Record<string, string>) => void;
}

export function TagPanel({ project, values, onChange }: Props): ReactElement {
  const tags = useTags(project.id, values.get("iterationId") ?? "");
  const looks = useLooks(tags.data);
  const chosen = (values.get("tagIds") ?? "").split(",").filter(Boolean);
  const type = useDomains().data?.find((each) => each.id === project.settings.domainId)?.type ?? "";
  const { needed, short } = readiness(tags.data ?? [], type === DETECTION);
  const workspace = !values.get("iterationId");
  const may = useMay("label") && workspace;
  const toggle = (id: string): void => {
    const next = chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id];
    onChange({ tagIds: next.join(","), status: values.get("status") === "Untagged" ? "" : (values.get("status") ?? "") });
  };
  return (
    <Stack gap={6} role="group" aria-label={text.images.tags}>
      <Text size="sm" fw={600}>
        {text.images.tags}
      </Text>
      {may && <NewTag project={project.id} />}
      {tags.data?.length === 0 && (
        <Text size="xs" c="var(--quiet)">
          {text.images.noTags}
        </Text>
      )}
      {tags.data?.map((tag) => (
        <div key={tag.id} className={classes.tagRow}>
          <span className={classes.dot} style={{ background: lookOf(looks, tag.id).colour.fill }} />
          <Checkbox
            size="xs"
            flex={1}
            miw={0}
            checked={chosen.includes(tag.id)}
            onChange={() => toggle(tag.id)}
            label={`${tag.name} (${count(tag.imageCount)})`}
            styles={{ label: { overflowWrap: "anywhere" } }}
          />
          {tag.type === NEGATIVE && (
            <Text size="xs" c="var(--quiet)">
              {text.images.negativeMark}
            </Text>
          )}
          {workspace && type && short.includes(tag) && (
            <span role="img" {...named(text.images.tooFew(needed))} style={{ display: "flex" }}>
              <Icon name="warning" size={14} />
            </span>
          )}
          {may && <TagMenu project={project} tag={tag} detection={type === DETECTION} />}
        </div>
      ))}
    </Stack>
  );
}

function NewTag({ project }: { project: string }): ReactElement {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () => createTag(project, name.trim()),
    onSuccess: () => {
      setName("");
      return client.invalidateQueries({ queryKey: tagsKey(project) });
    },
    onError: failed,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim()) create.mutate();
  };
  return (
    <Group component="form" gap={4} wrap="nowrap" onSubmit={submit}>
      <TextInput
        size="xs"
        flex={1}
        placeholder={text.images.newTag}
        aria-label={text.images.newTag}
        value={name}
        maxLength={128}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <ActionIcon type="submit" variant="default" size={30} aria-label={text.images.addTag} disabled={!name.trim()}>
        <Icon name="add" size={16} />
      </ActionIcon>
    </Group>
  );
}

function TagMenu({ project, tag, detection }: { project: Project; tag: Tag; detection: boolean }): ReactElement {
  const [asked, setAsked] = useState<Asked | null>(null);
  const client = useQueryClient();
  const retype = useMutation({
    mutationFn: (type: string) => updateTag(project.id, tag.id, { type }),
    onSuccess: () => client.invalidateQueries({ queryKey: tagsKey(project.id) }),
    onError: failed,
  });
  const negative = tag.type === NEGATIVE;
  const kind: Item = {
    label: negative ? text.images.regular : text.images.negative,
    hint: negative ? undefined : text.images.negativeHint,
    icon: "tag",
    act: () => retype.mutate(negative ? "Regular" : NEGATIVE),
  };
  return (
    <>
      <Menu
        button={
          <ActionIcon size="sm" aria-label={text.images.tagActions(tag.name)}>
            <Icon name="more" size={16} />
          </ActionIcon>
        }
        items={[
          [
            { label: text.images.rename, icon: "edit", act: () => setAsked("rename") },
            ...(detection ? [] : [kind]),
            { label: text.images.deleteTag, icon: "trash", act: () => setAsked("delete") },
          ],
        ]}
      />
      {asked && <TagDialog project={project} tag={tag} asked={asked} onClose={() => setAsked(null)} />}
    </>
  );
}
