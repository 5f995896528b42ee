/** Which images are shown: of what, with which tags, in which order. */
import { Collapse, SegmentedControl, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { type FormEvent, type ReactElement, useState } from "react";

import { completed, useIterations } from "#/api/iterations.ts";
import type { Project } from "#/api/types.ts";
import { TagPanel } from "#/features/images/tag-panel.tsx";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { Select } from "#/ui/select.tsx";

import classes from "./images.module.css";

interface Props {
  project: Project;
  values: URLSearchParams;
  onChange: (values: Record<string, string>) => void;
}

export function FilterPanel(props: Props): ReactElement {
  const small = useMediaQuery("(max-width: 48em)");
  const [opened, { toggle }] = useDisclosure(false);
  return (
    <aside className={classes.panel} aria-label={text.images.filters}>
      {small && (
        <UnstyledButton onClick={toggle} aria-expanded={opened} py={6}>
          <Icon name="filter" size={16} style={{ verticalAlign: "middle", marginRight: 6 }} />
          {text.images.filters}
        </UnstyledButton>
      )}
      <Collapse expanded={!small || opened}>
        <Fields {...props} />
      </Collapse>
    </aside>
  );
}

function Fields({ project, values, onChange }: Props): ReactElement {
  const iterations = completed(useIterations(project.id).data);
  const [metadata, setMetadata] = useState(values.get("metadata") ?? "");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onChange({ metadata: metadata.trim() });
  };
  return (
    <Stack gap="md">
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={text.images.show}
        value={values.get("status") ?? ""}
        onChange={(status) => onChange({ status, tagIds: status === "Untagged" ? "" : (values.get("tagIds") ?? "") })}
        data={[
          { value: "", label: text.images.any },
          { value: "Tagged", label: text.images.withTags },
          { value: "Untagged", label: text.images.without },
        ]}
      />
      <TagPanel project={project} values={values} onChange={onChange} />
      {iterations.length > 0 && (
        <Select
          size="xs"
          label={text.images.iteration}
          value={values.get("iterationId") ?? ""}
          onChange={(iterationId) => onChange({ iterationId, status: "", tagIds: "" })}
          data={[
            { value: "", label: text.images.workspace },
            ...iterations.map((each) => ({ value: each.id, label: each.name })),
          ]}
        />
      )}
      <Select
        size="xs"
        label={text.images.order}
        value={values.get("orderBy") ?? ""}
        onChange={(orderBy) => onChange({ orderBy })}
        data={[
          { value: "", label: text.images.newest },
          { value: "Oldest", label: text.images.oldest },
        ]}
      />
      <form onSubmit={submit}>
        <TextInput
          size="xs"
          label={text.images.metadata}
          description={text.images.metadataHint}
          value={metadata}
          onChange={(event) => setMetadata(event.currentTarget.value)}
          onBlur={submit}
        />
      </form>
    </Stack>
  );
}
