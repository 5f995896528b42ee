/** What the newest iteration suggests: shown or not, from which probability on, and taken one by one or all. */
import { Button, Group, Slider, Switch, Text, Title, UnstyledButton, VisuallyHidden } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import type { Suggestions } from "#/features/editor/use-suggestions.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import { Swatch } from "#/ui/canvas/tag-field.tsx";
import type { Ghost, Looks } from "#/ui/canvas/types.ts";
import { Failure } from "#/ui/feedback.tsx";

import rows from "#/ui/canvas/tags.module.css";

const words = text.editor.suggestions;

/** The frame of both kinds; nothing before the first training. */
export function Suggested({ suggestions, children }: { suggestions: Suggestions; children: ReactNode }): ReactElement | null {
  const { iteration, wanted, want, pending, error } = suggestions;
  if (!iteration) return null;
  return (
    <section aria-label={words.title}>
      <Group justify="space-between" wrap="nowrap" mb={4}>
        <Title order={2} size="h6">
          {words.title}
        </Title>
        <Switch size="xs" aria-label={words.show} checked={wanted} onChange={(event) => want(event.currentTarget.checked)} />
      </Group>
      <Text size="xs" c="var(--quiet)" mb={6}>
        {words.of(iteration.name)}
      </Text>
      {wanted && pending && (
        <Text size="sm" role="status">
          {words.looking}
        </Text>
      )}
      {wanted && error ? <Failure error={error} /> : null}
      {wanted && children}
    </section>
  );
}

interface Props {
  suggestions: Suggestions;
  ghosts: readonly Ghost[];
  looks: Looks;
  onAccept: (ghosts: readonly Ghost[]) => void;
}

export function SuggestedBoxes({ suggestions, ghosts, looks, onAccept }: Props): ReactElement {
  return (
    <Suggested suggestions={suggestions}>
      <Threshold value={suggestions.threshold} onChange={suggestions.setThreshold} />
      {suggestions.predictions && ghosts.length === 0 && (
        <Text size="sm" c="var(--quiet)">
          {words.none}
        </Text>
      )}
      <ul className={`${rows.rows} ${rows.scrolled}`}>
        {ghosts.map((ghost) => {
          const { name, colour } = lookOf(looks, ghost.tagId);
          const probability = percent(ghost.probability, 0);
          return (
            <li key={ghost.key} className={rows.row}>
              <UnstyledButton className={rows.pick} onClick={() => onAccept([ghost])}>
                <VisuallyHidden>{words.accept}</VisuallyHidden>
                <Swatch colour={colour.fill} />
                <span className={rows.name}>{name}</span>
                <span className={rows.count}>{probability}</span>
              </UnstyledButton>
            </li>
          );
        })}
      </ul>
      {ghosts.length > 0 && (
        <Button size="xs" variant="default" mt={6} fullWidth onClick={() => onAccept(ghosts)}>
          {words.acceptAll(ghosts.length)}
        </Button>
      )}
    </Suggested>
  );
}

function Threshold({ value, onChange }: { value: number; onChange: (value: number) => void }): ReactElement {
  return (
    <>
      <Text size="xs" c="var(--quiet)">
        {words.from(percent(value, 0))}
      </Text>
      <Slider
        size="sm"
        mb={10}
        min={0.05}
        max={0.95}
        step={0.05}
        value={value}
        onChange={onChange}
        thumbLabel={words.threshold}
      />
    </>
  );
}
