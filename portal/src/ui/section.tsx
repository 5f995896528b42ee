/** A titled part of a page. */
import { Card, Stack, Text, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

export function Section({ title, why, children }: { title: string; why?: string; children: ReactNode }): ReactElement {
  return (
    <Card withBorder component="section" padding="lg">
      <Stack gap="sm">
        <div>
          <Title order={2} size="h4">
            {title}
          </Title>
          {why && (
            <Text size="sm" c="var(--quiet)">
              {why}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Card>
  );
}
