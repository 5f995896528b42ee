/** Catches what no component expected, so that a fault shows itself instead of an empty page. */
import { Button, Center, Code, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";

import { text } from "#/text/index.ts";

export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <Center component="main" mih="60dvh" p="md">
        <Stack maw={560}>
          <Title order={1} size="h3">
            {text.common.broken}
          </Title>
          <Text>{text.common.brokenHint}</Text>
          <Code block>{String(this.state.error)}</Code>
          <Button onClick={() => location.reload()}>{text.common.reload}</Button>
        </Stack>
      </Center>
    );
  }
}
