/** What is known of the image, setting it aside for testing, and deleting it. */
import { Button, Switch, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Fragment, type ReactElement } from "react";

import { deleteImages, imageKey, isSetAside, listsChanged, setAside, TEST_KEY } from "#/api/images.ts";
import { tagsKey } from "#/api/tags.ts";
import type { Image } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { done, failed } from "#/app/undo.tsx";
import { date } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Icon } from "#/ui/icons.tsx";

import classes from "./editor.module.css";

const words = text.editor.details;

interface Props {
  project: string;
  image: Image;
  /** Called when the image is gone. */
  onDeleted: () => void;
}

export function Details({ project, image, onDeleted }: Props): ReactElement {
  const may = useMay("label");
  const client = useQueryClient();
  const [asking, ask] = useDisclosure(false);
  const aside = useMutation({
    mutationFn: (member: boolean) => setAside(project, [image.id], member),
    onSuccess: (_, member) => {
      const { [TEST_KEY]: __, ...others } = image.metadata ?? {};
      const metadata = member ? { ...others, [TEST_KEY]: "true" } : others;
      client.setQueryData<Image>(imageKey(project, image.id), (now) => now && { ...now, metadata });
    },
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: () => deleteImages(project, [image.id]),
    onSuccess: () => {
      done(words.deleted);
      onDeleted();
      void listsChanged(client, project);
      void client.invalidateQueries({ queryKey: tagsKey(project) });
    },
  });
  const member = aside.isPending ? aside.variables : isSetAside(image);
  return (
    <section aria-label={words.title}>
      <Title order={2} size="h6" mb={6}>
        {words.title}
      </Title>
      <dl className={classes.facts}>
        <dt>{words.size}</dt>
        <dd>{words.pixels(image.width, image.height)}</dd>
        <dt>{words.added}</dt>
        <dd>{date(image.created)}</dd>
        {Object.entries(image.metadata ?? {})
          .filter(([key]) => key !== TEST_KEY)
          .map(([key, value]) => (
            <Fragment key={key}>
              <dt>{key}</dt>
              <dd>{value}</dd>
            </Fragment>
          ))}
      </dl>
      <Switch
        mt="sm"
        label={words.aside}
        description={words.asideHint}
        checked={member}
        disabled={!may}
        onChange={(event) => aside.mutate(event.currentTarget.checked)}
      />
      {may && (
        <Button mt="md" size="xs" variant="default" leftSection={<Icon name="trash" size={15} />} onClick={ask.open}>
          {words.delete}
        </Button>
      )}
      <Confirm
        opened={asking}
        title={words.deleteTitle}
        action={text.common.delete}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={ask.close}
      >
        {words.deleteHint}
      </Confirm>
    </section>
  );
}
