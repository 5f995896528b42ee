/** From which probability on something counts, said above its slider. */
import { Slider, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";

import { percent } from "#/lib/format.ts";

interface Props {
  label: string;
  value: number;
  onChange: (value: number) => void;
}

export function Threshold({ label, value, onChange }: Props): ReactElement {
  return (
    <Stack gap={4} miw={200}>
      <Text size="xs">
        {label} {percent(value, 0)}
      </Text>
      <Slider value={value} onChange={onChange} min={0} max={1} step={0.05} thumbLabel={label} />
    </Stack>
  );
}
