/** The dialog that gives something another name. */
import { Modal, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { text } from "#/text/index.ts";
import { FormButtons } from "#/ui/form-buttons.tsx";

interface Props {
  title: string;
  label: string;
  name: string;
  /** Keep the new name; the dialog closes when that is done, and shows why when it is not. */
  save: (name: string) => Promise<unknown>;
  onClose: () => void;
}

export function Rename({ title, label, name, save, onClose }: Props): ReactElement {
  const [written, setWritten] = useState(name);
  const saving = useMutation({ mutationFn: () => save(written.trim()), onSuccess: onClose });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    saving.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={title} size="sm">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={label}
            value={written}
            onChange={(event) => setWritten(event.currentTarget.value)}
            maxLength={128}
            required
            data-autofocus
          />
          <FormButtons action={text.common.save} busy={saving.isPending} error={saving.error} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
