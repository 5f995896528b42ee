/** The dialogs that rename a tag and delete it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { imagesKey } from "#/api/images.ts";
import { deleteTag, tagsKey, updateTag } from "#/api/tags.ts";
import type { Project, Tag } from "#/api/types.ts";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Rename } from "#/ui/rename.tsx";

export type Asked = "rename" | "delete";

export default function TagDialog(props: { project: Project; tag: Tag; asked: Asked; onClose: () => void }): ReactElement {
  const { project, tag, asked, onClose } = props;
  const client = useQueryClient();
  const refresh = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: tagsKey(project.id) });
    await client.invalidateQueries({ queryKey: imagesKey(project.id) });
  };
  const remove = useMutation({
    mutationFn: () => deleteTag(project.id, tag.id),
    onSuccess: () => {
      onClose();
      return refresh();
    },
  });
  if (asked === "rename") {
    return (
      <Rename
        title={text.images.renameTitle(tag.name)}
        label={text.images.rename}
        name={tag.name}
        save={(name) => updateTag(project.id, tag.id, { name }).then(refresh)}
        onClose={onClose}
      />
    );
  }
  return (
    <Confirm
      opened
      title={text.images.deleteTagTitle(tag.name)}
      action={text.images.deleteTag}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {text.images.deleteTagWarning(count(tag.imageCount))}
    </Confirm>
  );
}
