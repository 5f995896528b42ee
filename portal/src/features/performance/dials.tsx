/** The sliders and what comes of them over all tags. */
import { Button, Group, Paper, Slider, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";

import { TOO_FEW } from "#/features/performance/api.ts";
import type { Shown } from "#/features/performance/evaluation.tsx";
import { Ring } from "#/features/performance/rings.tsx";
import { at, keepingStep, nearestStep } from "#/lib/curve.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { described } from "#/ui/hints.tsx";

import classes from "./performance.module.css";

const words = text.performance.sliders;
const rings = text.performance.rings;

interface Props extends Shown {
  onStep: (step: number) => void;
  onOverlap: (overlap: number) => void;
  /** When a slider was let go: what belongs into the place. */
  onSettled: (values: Record<string, string>) => void;
}

export function Dials(props: Props): ReactElement {
  const { evaluation, curve, step, overlap, detection, onStep, onOverlap, onSettled } = props;
  const now = at(curve.overall, step);
  const known = evaluation.state !== TOO_FEW;
  return (
    <Paper withBorder p="lg">
      <div className={classes.dials}>
        <Stack gap="md">
          <Dial
            label={words.threshold}
            hint={words.thresholdHint}
            value={step}
            onChange={onStep}
            onChangeEnd={(value) => onSettled({ threshold: String(value) })}
          />
          <Suggestions
            {...props}
            onChoose={(value) => {
              onStep(value);
              onSettled({ threshold: String(value) });
            }}
          />
          {detection && (
            <Dial
              label={words.overlap}
              hint={words.overlapHint}
              value={Math.round(overlap * 100)}
              onChange={(value) => onOverlap(value / 100)}
              onChangeEnd={(value) => onSettled({ overlap: String(value / 100) })}
            />
          )}
        </Stack>
        <div className={classes.rings}>
          <Ring label={rings.precision} hint={rings.precisionHint} share={now.precision} known={known} />
          <Ring label={rings.recall} hint={rings.recallHint} share={now.recall} known={known} />
          <Ring
            label={detection ? rings.map : rings.ap}
            hint={rings.apHint}
            share={evaluation.overall.averagePrecision}
            known={known}
          />
        </div>
      </div>
    </Paper>
  );
}

interface DialProps {
  label: string;
  hint: string;
  value: number;
  onChange: (value: number) => void;
  onChangeEnd: (value: number) => void;
}

function Dial({ label, hint, value, onChange, onChangeEnd }: DialProps): ReactElement {
  return (
    <div>
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" fw={600}>
          {label}
        </Text>
        <Text size="lg" fw={650} style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
          {value} %
        </Text>
      </Group>
      <Slider value={value} onChange={onChange} onChangeEnd={onChangeEnd} thumbLabel={label} my={6} />
      <Text size="xs" c="var(--quiet)">
        {hint}
      </Text>
    </div>
  );
}

function Suggestions({ evaluation, onChoose }: Props & { onChoose: (step: number) => void }): ReactElement {
  const best = evaluation.bestF1 && nearestStep(evaluation.bestF1.threshold);
  const promising = evaluation.promising && keepingStep(evaluation.promising.threshold);
  return (
    <Group gap="xs">
      {best !== null && (
        <Button size="compact-sm" variant="default" {...described(words.bestHint)} onClick={() => onChoose(best)}>
          {words.best(percent(best / 100, 0))}
        </Button>
      )}
      {promising === null ? (
        <Text size="xs" c="var(--quiet)">
          {words.noPromise}
        </Text>
      ) : (
        <Button size="compact-sm" variant="default" {...described(words.promisingHint)} onClick={() => onChoose(promising)}>
          {words.promising(percent(promising / 100, 0))}
        </Button>
      )}
    </Group>
  );
}
