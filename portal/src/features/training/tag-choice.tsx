/** Which tags are learned: all, or some of them. */
import { Button, Checkbox, Collapse, Group, ScrollArea, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactElement } from "react";

import type { Tag } from "#/api/types.ts";
import { text } from "#/text/index.ts";

const words = text.training;

interface Props {
  tags: Tag[];
  /** The tags that are left out. */
  left: ReadonlySet<string>;
  onChange: (left: ReadonlySet<string>) => void;
}

export function TagChoice({ tags, left, onChange }: Props): ReactElement {
  const [opened, { toggle }] = useDisclosure(false);
  const chosen = tags.length - left.size;
  const flip = (id: string): void => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" fw={500}>
          {words.tags}
        </Text>
        <Group gap="xs">
          <Text size="sm">{left.size ? words.someTags(chosen, tags.length) : words.allTags(tags.length)}</Text>
          <Button size="compact-sm" variant="default" onClick={toggle} aria-expanded={opened}>
            {words.chooseTags}
          </Button>
        </Group>
      </Group>
      <Collapse expanded={opened}>
        <ScrollArea.Autosize mah={220} type="auto">
          <Stack gap={6} py={4}>
            <Checkbox
              label={words.allTags(tags.length)}
              checked={left.size === 0}
              indeterminate={left.size > 0 && chosen > 0}
              onChange={() => onChange(left.size ? new Set() : new Set(tags.map((tag) => tag.id)))}
            />
            {tags.map((tag) => (
              <Checkbox
                key={tag.id}
                pl="md"
                label={`${tag.name} (${words.images(tag.imageCount)})`}
                checked={!left.has(tag.id)}
                onChange={() => flip(tag.id)}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Collapse>
    </Stack>
  );
}
