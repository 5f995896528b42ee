/** How much of a limit is used. */
import { Progress, Text } from "@mantine/core";
import type { ReactElement } from "react";

import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

export function Meter({ what, used, most }: { what: string; used: number | undefined; most: number | null }): ReactElement {
  const value = used ?? 0;
  const label = most === null ? text.settings.usedFreely(what, count(value)) : text.settings.used(what, count(value), count(most));
  return (
    <div>
      <Text size="sm">{label}</Text>
      {most !== null && <Progress value={Math.min(100, (value / most) * 100)} aria-label={what} size="sm" />}
    </div>
  );
}
