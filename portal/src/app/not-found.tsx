/** What a page shows at a place that does not exist. */
import { Center, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";

import { text } from "#/text/index.ts";

export function NotFound(): ReactElement {
  return (
    <Center mih="50dvh">
      <Stack align="center">
        <Title order={1} size="h3">
          {text.common.notFound}
        </Title>
        <Text>{text.common.notFoundHint}</Text>
      </Stack>
    </Center>
  );
}
