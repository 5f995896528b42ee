/** Stored predictions. */
import { Button, Text, Title } from "@mantine/core";
import { useDisclosure, useInViewport } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { type ReactElement, useCallback, useEffect, useMemo, useState } from "react";
import { Link } from "wouter";

import { DETECTION, useDomains } from "#/api/projects.ts";
import { useTags } from "#/api/tags.ts";
import { useQueryValues } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay } from "#/app/session.tsx";
import { PredictionCard } from "#/features/predictions/card.tsx";
import { Filters } from "#/features/predictions/filters.tsx";
import { SaveDialog } from "#/features/predictions/save-dialog.tsx";
import { FILTERS, type Stored, useStored } from "#/features/predictions/use-stored.ts";
import { text } from "#/text/index.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import { ordered } from "#/ui/canvas/tag-choice.tsx";
import { Confirm } from "#/ui/confirm.tsx";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";

import classes from "./predictions.module.css";

const words = text.predictions;

export default function PredictionsPage({ project }: PageProps): ReactElement {
  const [values, set] = useQueryValues();
  const may = useMay("label");
  const stored = useStored(project.id, { fresh: true });
  const tagList = useTags(project.id);
  const domains = useDomains();
  const detects = domains.data?.find((each) => each.id === project.settings.domainId)?.type === DETECTION;
  const tags = useMemo(() => ordered(tagList.data ?? [], detects), [tagList.data, detects]);
  const looks = useLooks(tagList.data);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const select = useCallback((id: string, to: boolean) => setSelected((now) => toggled(now, id, to)), []);
  const chosen = stored.rows.filter((row) => selected.has(row.id));
  const [saving, saveDialog] = useDisclosure(false);
  const [asking, ask] = useDisclosure(false);
  const remove = useMutation({ mutationFn: () => stored.remove(chosen.map((row) => row.id)), onSuccess: ask.close });
  const kept = values.size > 0 ? `?${values}` : "";
  const nothing = !stored.pending && !stored.error && stored.rows.length === 0 && !stored.more;

  if (nothing && !stored.filtered) return <Teach project={project.id} />;
  return (
    <div className={classes.page}>
      <Title order={1} size="h3">
        {words.title}
      </Title>
      <Text size="sm" c="var(--quiet)">
        {words.hint}
      </Text>
      <Filters project={project.id} tags={tags} />
      {stored.error ? <Failure error={stored.error} retry={stored.retry} /> : null}
      {stored.pending && <Loading />}
      {nothing && (
        <Empty
          icon="filter"
          title={words.noMatch}
          action={
            <Button variant="default" onClick={() => set(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>
              {words.clearFilters}
            </Button>
          }
        />
      )}
      {may && stored.rows.length > 0 && (
        <div className={classes.actions}>
          <Text size="sm" role="status" miw={90}>
            {words.selected(chosen.length)}
          </Text>
          <Button
            size="xs"
            variant="default"
            onClick={() => setSelected(chosen.length > 0 ? new Set() : new Set(stored.rows.map((row) => row.id)))}
          >
            {chosen.length > 0 ? words.clear : words.selectAll}
          </Button>
          <Button size="xs" disabled={chosen.length === 0} onClick={saveDialog.open}>
            {words.save}
          </Button>
          <Button size="xs" variant="default" disabled={chosen.length === 0} onClick={ask.open}>
            {words.delete}
          </Button>
        </div>
      )}
      <ul className={classes.grid} aria-label={words.list}>
        {stored.rows.map((row) => (
          <PredictionCard
            key={row.id}
            row={row}
            href={paths.prediction(project.id, row.id) + kept}
            detects={detects}
            looks={looks}
            selected={selected.has(row.id)}
            onSelect={may ? select : undefined}
          />
        ))}
      </ul>
      <More stored={stored} />
      <SaveDialog
        opened={saving}
        rows={chosen}
        tags={tags}
        detects={detects}
        single={project.settings.classificationType === "Multiclass"}
        save={stored.save}
        onClose={saveDialog.close}
      />
      <Confirm
        opened={asking}
        title={words.deleteTitle(chosen.length)}
        action={text.common.delete}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={ask.close}
      >
        {words.deleteHint}
      </Confirm>
    </div>
  );
}

function Teach({ project }: { project: string }): ReactElement {
  return (
    <Empty
      icon="camera"
      title={words.none}
      action={
        <Button component={Link} href={paths.performance(project)}>
          {words.toPerformance}
        </Button>
      }
    >
      {words.teach}
    </Empty>
  );
}

/** Asks for the next page when its button comes into sight. */
function More({ stored }: { stored: Stored }): ReactElement | null {
  const { ref, inViewport } = useInViewport<HTMLButtonElement>();
  const { more } = stored;
  useEffect(() => {
    if (inViewport) more?.();
  }, [inViewport, more]);
  if (!more && !stored.loadingMore) return null;
  return (
    <Button ref={ref} variant="default" fullWidth loading={stored.loadingMore} onClick={more}>
      {words.more}
    </Button>
  );
}

function toggled(now: ReadonlySet<string>, id: string, to: boolean): ReadonlySet<string> {
  const next = new Set(now);
  if (to) next.add(id);
  else next.delete(id);
  return next;
}
