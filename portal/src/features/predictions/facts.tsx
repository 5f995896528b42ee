/** When a prediction was asked for, and which iteration answered. */
import { Text } from "@mantine/core";
import type { ReactElement } from "react";

import { useIterations } from "#/api/iterations.ts";
import type { StoredImagePrediction } from "#/api/types.ts";
import { date } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

const words = text.predictions.one;

export function Facts({ row }: { row: StoredImagePrediction }): ReactElement {
  const iteration = useIterations(row.project).data?.find((each) => each.id === row.iteration);
  return (
    <Text size="xs" c="var(--quiet)">
      {words.by}: {iteration?.name ?? text.common.none} · {words.when}: {date(row.created)}
    </Text>
  );
}
