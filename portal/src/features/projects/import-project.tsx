/** The dialog that brings a project from another server. */
import { Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { call, TRAINING } from "#/api/client.ts";
import { done } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";
import { FormButtons } from "#/ui/form-buttons.tsx";

const words = text.projects.importDialog;

export default function ImportProject({ onClose }: { onClose: () => void }): ReactElement {
  const [token, setToken] = useState("");
  const [name, setName] = useState("");
  const client = useQueryClient();
  const begin = useMutation({
    mutationFn: () =>
      call("POST", `${TRAINING}/projects/import`, { query: { token: token.trim(), name: name.trim() || undefined } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["projects"] });
      done(words.begun);
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    begin.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={words.title}>
      <form onSubmit={submit}>
        <Stack>
          <Textarea
            label={words.token}
            description={words.tokenHint}
            value={token}
            onChange={(event) => setToken(event.currentTarget.value)}
            required
            rows={3}
            data-autofocus
          />
          <TextInput
            label={words.name}
            description={words.nameHint}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <FormButtons action={words.start} busy={begin.isPending} error={begin.error} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
