/** What a page shows while it waits, when it failed, and when there is nothing yet. */
import { Alert, Button, Center, Group, Loader, Stack, Text, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { ApiError } from "#/api/client.ts";
import { text } from "#/text/index.ts";
import { Icon, type IconName } from "#/ui/icons.tsx";

export function Loading({ label = text.common.loading }: { label?: string }): ReactElement {
  return (
    <Center p="xl" role="status" aria-label={label}>
      <Loader type="dots" />
    </Center>
  );
}

/** The server's own words for what went wrong, its code, and what can be done. */
export function Failure({ error, retry, next }: { error: unknown; retry?: () => void; next?: ReactNode }): ReactElement {
  const told = error instanceof ApiError ? error : new ApiError("", String(error), 0);
  return (
    <Alert color="red" variant="light" role="alert" icon={<Icon name="warning" />} title={text.common.failed}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {told.message}
        </Text>
        {told.code && (
          <Text size="xs" ff="monospace">
            {told.code}
          </Text>
        )}
        {next}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {text.common.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** An empty place that teaches: what belongs here, and the first step. */
export function Empty(props: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }): ReactElement {
  return (
    <Center py={60} px="md">
      <Stack align="center" maw={560} gap="sm" ta="center">
        <Icon name={props.icon} size={44} style={{ color: "var(--mantine-primary-color-filled)" }} />
        <Title order={2} size="h3">
          {props.title}
        </Title>
        <Text component="div" c="var(--quiet)">
          {props.children}
        </Text>
        {props.action && <Group justify="center">{props.action}</Group>}
      </Stack>
    </Center>
  );
}
