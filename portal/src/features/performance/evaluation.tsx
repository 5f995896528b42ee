/** All that is known of how good a trained iteration is, at the threshold of a slider. */
import { Stack, Tabs, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactElement, useState } from "react";

import type { Evaluation, EvaluationCurve, Iteration } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { OVERLAP, THRESHOLD, TOO_FEW, useCurve, useEvaluation } from "#/features/performance/api.ts";
import { Compare } from "#/features/performance/compare.tsx";
import { ConfusionTable } from "#/features/performance/confusion.tsx";
import { Dials } from "#/features/performance/dials.tsx";
import { Improve } from "#/features/performance/improve.tsx";
import { Mistakes } from "#/features/performance/mistakes.tsx";
import { TagTable } from "#/features/performance/tag-table.tsx";
import { Tradeoff } from "#/features/performance/tradeoff.tsx";
import { Trust } from "#/features/performance/trust.tsx";
import { bounded } from "#/lib/curve.ts";
import { text } from "#/text/index.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";
import { Note } from "#/ui/note.tsx";

const words = text.performance;

export interface Shown extends PageProps {
  iteration: Iteration;
  evaluation: Evaluation;
  curve: EvaluationCurve;
  /** Where the slider stands, 0 to 100. */
  step: number;
  overlap: number;
  detection: boolean;
}

export function EvaluationView({
  project,
  iteration,
  all,
}: PageProps & { iteration: Iteration; all: Iteration[] }): ReactElement {
  const [query, setQuery] = useQueryValues();
  const [overlap, setOverlap] = useState(() => bounded(query.get("overlap"), 1, OVERLAP));
  const [step, setStep] = useState(() => Math.round(bounded(query.get("threshold"), 100, THRESHOLD * 100)));
  const [settled] = useDebouncedValue(overlap, 250);
  const evaluation = useEvaluation(project.id, iteration.id, settled);
  const curve = useCurve(project.id, iteration.id, settled);
  const error = evaluation.error ?? curve.error;
  if (error) return <Failure error={error} />;
  if (!evaluation.data || !curve.data) return <Loading />;
  const shown: Shown = {
    project,
    iteration,
    evaluation: evaluation.data,
    curve: curve.data,
    step,
    overlap,
    detection: !project.settings.classificationType,
  };
  const other = all.find((each) => each.id === query.get("compare"));
  return (
    <Stack gap="lg">
      {evaluation.data.state === TOO_FEW && (
        <Note title={words.how.tooFew}>{words.how.tooFewHint}</Note>
      )}
      <Dials
        {...shown}
        onStep={setStep}
        onOverlap={setOverlap}
        onSettled={(values) => setQuery(values)}
      />
      <Text size="sm" c="var(--quiet)">
        {words.how.known(words.images(evaluation.data.images), evaluation.data.testImages)} {words.how.interval}
      </Text>
      {other && <Compare {...shown} other={other} onClose={() => setQuery({ compare: "" })} />}
      <Views {...shown} />
    </Stack>
  );
}

function Views(shown: Shown): ReactElement {
  const [query, setQuery] = useQueryValues();
  return (
    <Tabs value={query.get("view") ?? "tags"} onChange={(view) => setQuery({ view: view ?? "" })} keepMounted={false}>
      <Tabs.List aria-label={words.views.label} style={{ flexWrap: "nowrap", overflowX: "auto", overflowY: "hidden" }}>
        <Tabs.Tab value="tags">{words.views.tags}</Tabs.Tab>
        <Tabs.Tab value="mistakes">{words.views.mistakes}</Tabs.Tab>
        {shown.evaluation.confusion && <Tabs.Tab value="confusion">{words.views.confusion}</Tabs.Tab>}
        <Tabs.Tab value="trust">{words.views.trust}</Tabs.Tab>
        {!shown.detection && <Tabs.Tab value="improve">{words.views.improve}</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="tags" pt="md">
        <Stack gap="xl">
          <TagTable {...shown} />
          <Tradeoff {...shown} />
        </Stack>
      </Tabs.Panel>
      <Tabs.Panel value="mistakes" pt="md">
        <Mistakes {...shown} />
      </Tabs.Panel>
      <Tabs.Panel value="confusion" pt="md">
        <ConfusionTable {...shown} />
      </Tabs.Panel>
      <Tabs.Panel value="trust" pt="md">
        <Trust evaluation={shown.evaluation} />
      </Tabs.Panel>
      <Tabs.Panel value="improve" pt="md">
        <Improve project={shown.project} iteration={shown.iteration} />
      </Tabs.Panel>
    </Tabs>
  );
}
