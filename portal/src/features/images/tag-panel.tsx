/** The tags of a project with their counts: to filter by, to add, to rename, to delete. */
import { ActionIcon, Checkbox, Group, Menu, Stack, Text, TextInput, Tooltip } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { DETECTION, useDomains } from "#/api/projects.ts";
import { createTag, deleteTag, NEGATIVE, tagsKey, updateTag, useTags } from "#/api/tags.ts";
import type { Project, Tag } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import { count } from "#/lib/format.ts";
import { readiness } from "#/lib/readiness.ts";
import { text } from "#/text/index.ts";
import { lookOf, useLooks } from "#/ui/canvas/looks.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Icon } from "#/ui/icons.tsx";
import { Rename } from "#/ui/rename.tsx";

import classes from "./images.module.css";

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
            <Tooltip label={text.images.tooFew(needed)}>
              <span role="img" aria-label={text.images.tooFew(needed)} style={{ display: "flex" }}>
                <Icon name="warning" size={14} />
              </span>
            </Tooltip>
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
  const [asked, setAsked] = useState<"rename" | "delete" | null>(null);
  const client = useQueryClient();
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: tagsKey(project.id) });
  const rename = async (name: string): Promise<void> => {
    await updateTag(project.id, tag.id, { name });
    await refresh();
    await client.invalidateQueries({ queryKey: ["images", project.id] });
  };
  const retype = useMutation({
    mutationFn: (type: string) => updateTag(project.id, tag.id, { type }),
    onSuccess: refresh,
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: () => deleteTag(project.id, tag.id),
    onSuccess: async () => {
      setAsked(null);
      await refresh();
      await client.invalidateQueries({ queryKey: ["images", project.id] });
    },
  });
  const negative = tag.type === NEGATIVE;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size="sm" aria-label={text.images.tagActions(tag.name)}>
            <Icon name="more" size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Icon name="edit" />} onClick={() => setAsked("rename")}>
            {text.images.rename}
          </Menu.Item>
          {!detection && (
            <Menu.Item leftSection={<Icon name="tag" />} onClick={() => retype.mutate(negative ? "Regular" : NEGATIVE)}>
              {negative ? text.images.regular : text.images.negative}
              {!negative && (
                <Text size="xs" c="var(--quiet)" maw={240}>
                  {text.images.negativeHint}
                </Text>
              )}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<Icon name="trash" />} onClick={() => setAsked("delete")}>
            {text.images.deleteTag}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked === "rename" && (
        <Rename
          title={text.images.renameTitle(tag.name)}
          label={text.images.rename}
          name={tag.name}
          save={rename}
          onClose={() => setAsked(null)}
        />
      )}
      <Confirm
        opened={asked === "delete"}
        title={text.images.deleteTagTitle(tag.name)}
        action={text.images.deleteTag}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsked(null)}
      >
        {text.images.deleteTagWarning(count(tag.imageCount))}
      </Confirm>
    </>
  );
}
