/** The dialog that makes a project. */
import { Alert, Modal, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { call, TRAINING } from "#/api/client.ts";
import { DETECTION, useDomains } from "#/api/projects.ts";
import type { Domain, Project } from "#/api/types.ts";
import { go } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import { useServer } from "#/app/session.tsx";
import { done } from "#/app/undo.tsx";
import { text } from "#/text/index.ts";
import { Choices } from "#/ui/choices.tsx";
import { FormButtons } from "#/ui/form-buttons.tsx";
import { Select } from "#/ui/select.tsx";

const words = text.projects.create;

export default function CreateProject({ onClose }: { onClose: () => void }): ReactElement {
  return (
    <Modal opened onClose={onClose} title={words.title} size="lg">
      <Form onClose={onClose} />
    </Modal>
  );
}

function Form({ onClose }: { onClose: () => void }): ReactElement {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [type, setType] = useState("Classification");
  const [kind, setKind] = useState("Multiclass");
  const [chosen, setChosen] = useState<string | null>(null);
  const client = useQueryClient();
  const domains = (useDomains().data ?? []).filter((each) => each.type === type && each.enabled);
  const domain = domains.find((each) => each.id === chosen) ?? domains[0];
  const create = useMutation({
    mutationFn: () =>
      call<Project>("POST", `${TRAINING}/projects`, {
        query: { name, description, domainId: domain?.id, classificationType: type === DETECTION ? undefined : kind },
      }),
    onSuccess: async (project) => {
      await client.invalidateQueries({ queryKey: ["projects"] });
      done(words.done(project.name));
      onClose();
      go(paths.images(project.id));
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={words.name}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          maxLength={128}
          data-autofocus
        />
        <Choices label={words.typeLabel} value={type} onChange={setType} choices={words.types} />
        {type === DETECTION ? (
          <TorchNote />
        ) : (
          <Choices label={words.kindLabel} value={kind} onChange={setKind} choices={words.kinds} />
        )}
        <Select
          label={words.domain}
          description={domain && hint(domain)}
          data={domains.map((each) => ({ value: each.id, label: each.name }))}
          value={domain?.id ?? ""}
          onChange={setChosen}
        />
        <div>
          <Text size="sm" fw={500}>
            {words.exportLabel}
          </Text>
          <Text size="xs" c="var(--quiet)">
            {words.exportHint}
          </Text>
        </div>
        <Textarea
          label={words.description}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          autosize
          minRows={2}
        />
        <FormButtons action={text.common.create} busy={create.isPending} error={create.error} onClose={onClose} />
      </Stack>
    </form>
  );
}

function TorchNote(): ReactElement | null {
  return useServer().trainsAdvanced ? null : <Alert color="yellow">{words.noTorch}</Alert>;
}

/** What a domain is for, by the words of its name. */
export function hint(domain: Domain): string {
  const parts = Object.entries(words.domainHint).filter(([word]) => domain.name.includes(word));
  const size = domain.modelInformation?.estimatedModelSizeInMegabytes;
  return [...parts.map(([, told]) => told), size ? `About ${size} MB.` : ""].filter(Boolean).join(" ");
}
