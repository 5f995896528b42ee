/** How good the iterations are: their list, and all that is known of one. */
import { Alert, Paper, Stack, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { COMPLETED, TRAINS, useIterations } from "#/api/iterations.ts";
import type { Iteration } from "#/api/types.ts";
import { go } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { EvaluationView } from "#/features/performance/evaluation.tsx";
import { IterationHeader } from "#/features/performance/iteration-header.tsx";
import { IterationList } from "#/features/performance/iteration-list.tsx";
import { text } from "#/text/index.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Select } from "#/ui/select.tsx";
import { TrainingProgress } from "#/ui/training-progress.tsx";

import classes from "./performance.module.css";

const words = text.performance;

interface Props extends PageProps {
  iteration: string | undefined;
  /** The button that exports a completed iteration. */
  exporter: (iteration: Iteration) => ReactNode;
}

export default function PerformancePage({ project, iteration, exporter }: Props): ReactElement {
  const iterations = useIterations(project.id);
  if (iterations.isPending) return <Loading />;
  if (iterations.isError) return <Failure error={iterations.error} retry={() => void iterations.refetch()} />;
  const all = iterations.data;
  const chosen = iteration ? all.find((each) => each.id === iteration) : all[0];
  if (!all.length) {
    return (
      <Empty icon="chart" title={words.none}>
        {words.teach}
      </Empty>
    );
  }
  return (
    <div className={classes.page}>
      <aside className={classes.side}>
        <IterationList project={project.id} iterations={all} chosen={chosen?.id} />
      </aside>
      <section className={classes.main}>
        <Select
          hiddenFrom="sm"
          mb="md"
          label={words.choose}
          data={all.map((each) => ({ value: each.id, label: each.name }))}
          value={chosen?.id ?? ""}
          onChange={(id) => go(paths.performance(project.id, id))}
        />
        {chosen ? (
          <Stack key={chosen.id} gap="lg">
            <IterationHeader project={project} iteration={chosen} all={all} exporter={exporter} />
            <Detail project={project} iteration={chosen} all={all} />
          </Stack>
        ) : (
          <Text>{words.gone}</Text>
        )}
      </section>
    </div>
  );
}

function Detail({ project, iteration, all }: PageProps & { iteration: Iteration; all: Iteration[] }): ReactElement {
  if (iteration.status === COMPLETED) return <EvaluationView project={project} iteration={iteration} all={all} />;
  if (iteration.status === TRAINS) {
    return (
      <Paper withBorder p="lg" maw={720}>
        <TrainingProgress project={project.id} iteration={iteration} />
        <Text size="sm" c="var(--quiet)" mt="md">
          {text.training.background}
        </Text>
      </Paper>
    );
  }
  return (
    <Alert color="red" title={words.failedTitle}>
      <Text size="sm" style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }} mb="xs">
        {iteration.trainingErrorDetails}
      </Text>
      <Text size="sm">{words.failedHint}</Text>
    </Alert>
  );
}
