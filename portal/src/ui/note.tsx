/** A warning that does not stand in the way: what to know before going on. */
import { Group, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { Icon } from "#/ui/icons.tsx";

export function Note({ title, children }: { title?: string; children?: ReactNode }): ReactElement {
  return (
    <Group
      role="note"
      wrap="nowrap"
      align="flex-start"
      gap="sm"
      p="sm"
      bg="var(--panel)"
      style={{
        border: "1px solid var(--line)",
        borderLeft: "4px solid var(--mantine-color-yellow-6)",
        borderRadius: "var(--mantine-radius-md)",
      }}
    >
      <Icon name="warning" style={{ marginTop: 2 }} />
      <div>
        {title && (
          <Text size="sm" fw={600}>
            {title}
          </Text>
        )}
        <Text component="div" size="sm">
          {children}
        </Text>
      </div>
    </Group>
  );
}
