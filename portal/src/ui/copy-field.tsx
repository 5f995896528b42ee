/** A value to be copied, with a button; a secret is hidden until it is asked for. */
import { ActionIcon, CopyButton, Group, PasswordInput, TextInput } from "@mantine/core";
import type { ReactElement } from "react";

import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { named } from "#/ui/hints.tsx";

export function CopyField(props: { label: string; value: string; secret?: boolean; description?: string }): ReactElement {
  const Field = props.secret ? PasswordInput : TextInput;
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <Field
        label={props.label}
        description={props.description}
        value={props.value}
        readOnly
        flex={1}
        styles={{ input: { fontFamily: "monospace" }, innerInput: { fontFamily: "monospace" } } as object}
      />
      <CopyIcon value={props.value} label={text.common.copy(props.label)} />
    </Group>
  );
}

export function CopyIcon({ value, label }: { value: string; label: string }): ReactElement {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <ActionIcon size="lg" variant="default" onClick={copy} {...named(copied ? text.common.copied : label)}>
          <Icon name={copied ? "check" : "copy"} />
        </ActionIcon>
      )}
    </CopyButton>
  );
}
