/** A choice among a few, each explained in a sentence. */
import { Group, Radio, SimpleGrid, Text } from "@mantine/core";
import type { ReactElement } from "react";

import classes from "./choices.module.css";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Value, title and explanation of each. */
  choices: readonly (readonly [string, string, string])[];
  disabled?: boolean;
}

export function Choices({ label, value, onChange, choices, disabled }: Props): ReactElement {
  return (
    <Radio.Group label={label} value={value} onChange={onChange}>
      <SimpleGrid cols={{ base: 1, xs: choices.length > 2 ? 3 : 2 }} mt={6}>
        {choices.map(([each, title, why]) => (
          <Radio.Card key={each} value={each} className={classes.choice} disabled={disabled ?? false}>
            <Group wrap="nowrap" align="flex-start">
              <Radio.Indicator />
              <div>
                <Text size="sm" fw={600}>
                  {title}
                </Text>
                <Text size="xs" c="var(--quiet)">
                  {why}
                </Text>
              </div>
            </Group>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}
