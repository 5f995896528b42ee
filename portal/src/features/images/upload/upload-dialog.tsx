/** The dialog that adds images: first their tags, then how far it is, then what became of each. */
import { Alert, Button, Group, Modal, MultiSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useMemo, useState } from "react";

import { createTag, tagsKey, useTags } from "#/api/tags.ts";
import type { Project, Tag } from "#/api/types.ts";
import { UploadProgress } from "#/features/images/upload/upload-progress.tsx";
import { begin } from "#/features/images/upload/uploads.ts";
import { useArrived, useUpload } from "#/features/images/upload/use-upload.ts";
import type { Found } from "#/lib/dropped.ts";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Failure } from "#/ui/feedback.tsx";

const words = text.images.upload;

interface Props {
  project: Project;
  /** What was dropped or chosen and is not begun yet; null: nothing. */
  found: readonly Found[] | null;
  tagging: boolean;
  onBegun: () => void;
  onClose: () => void;
}

export default function UploadDialog(props: Props): ReactElement {
  const upload = useUpload(props.project.id);
  return (
    <Modal opened onClose={props.onClose} title={words.title} size="lg">
      {props.found ? <Plan {...props} found={props.found} /> : upload && <UploadProgress upload={upload} onClose={props.onClose} />}
    </Modal>
  );
}

function Plan({ project, found, tagging, onBegun }: Props & { found: readonly Found[] }): ReactElement {
  const folders = useMemo(() => [...new Set(found.map((each) => each.folder))].filter(Boolean), [found]);
  const [names, setNames] = useState<Record<string, string>>(() => Object.fromEntries(folders.map((each) => [each, each])));
  const [common, setCommon] = useState<string[]>([]);
  const tags = useTags(project.id).data ?? [];
  const client = useQueryClient();
  const arrived = useArrived(project.id);
  const exclusive = project.settings.classificationType === "Multiclass";
  const start = useMutation({
    mutationFn: async () => {
      const wanted = tagging ? folders.map((folder) => names[folder]?.trim() ?? "").filter(Boolean) : [];
      const known = await made(project.id, wanted, tags);
      await client.invalidateQueries({ queryKey: tagsKey(project.id) });
      const ids = (folder: string): string[] => {
        const own = known.get((names[folder] ?? "").trim().toLowerCase());
        return [...new Set([...(own && folder ? [own] : []), ...common])].slice(0, exclusive ? 1 : undefined);
      };
      begin(project.id, found.map(({ file, folder }) => ({ file, tags: tagging ? ids(folder) : [] })), arrived);
    },
    onSuccess: onBegun,
  });
  if (!found.length) return <Alert color="yellow">{words.none}</Alert>;
  return (
    <Stack>
      <Text fw={600}>{words.found(count(found.length))}</Text>
      {tagging && folders.length > 0 && (
        <Stack gap="xs" role="group" aria-label={words.folders}>
          <Text size="sm" fw={600}>
            {words.folders}
          </Text>
          <Text size="xs" c="var(--quiet)">
            {words.foldersHint}
          </Text>
          {folders.map((folder) => (
            <Group key={folder} gap="xs" wrap="nowrap">
              <Text size="sm" flex={1} truncate title={folder}>
                {folder} ({count(found.filter((each) => each.folder === folder).length)})
              </Text>
              <TextInput
                size="xs"
                aria-label={words.folder(folder)}
                value={names[folder] ?? ""}
                maxLength={128}
                onChange={(event) => {
                  const { value } = event.currentTarget;
                  setNames((before) => ({ ...before, [folder]: value }));
                }}
              />
            </Group>
          ))}
        </Stack>
      )}
      {tagging && tags.length > 0 && (
        <MultiSelect
          label={words.forAll}
          data={tags.map((tag) => ({ value: tag.id, label: tag.name }))}
          value={common}
          onChange={setCommon}
          maxValues={exclusive ? 1 : 20}
          searchable
          clearable
        />
      )}
      {start.error && <Failure error={start.error} />}
      <Group justify="flex-end">
        <Button onClick={() => start.mutate()} loading={start.isPending} data-autofocus>
          {words.start(count(found.length))}
        </Button>
      </Group>
    </Stack>
  );
}

/** The ids of tags by their names in small letters; those that are not there yet are made. */
async function made(project: string, names: readonly string[], tags: readonly Tag[]): Promise<Map<string, string>> {
  const known = new Map(tags.map((tag) => [tag.name.toLowerCase(), tag.id]));
  for (const name of names) {
    if (!known.has(name.toLowerCase())) known.set(name.toLowerCase(), (await createTag(project, name)).id);
  }
  return known;
}
