/** The images behind the figures: mistakes, or those of a cell of the confusion. */
import { Button, Center, Group, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import type { ReactElement } from "react";

import type { TagEvaluation } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import { useVerdicts } from "#/features/performance/api.ts";
import type { Shown } from "#/features/performance/evaluation.tsx";
import { Legend } from "#/features/performance/judged-boxes.tsx";
import { JudgedImage } from "#/features/performance/judged-image.tsx";
import { text } from "#/text/index.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Select } from "#/ui/select.tsx";

import classes from "./performance.module.css";

const words = text.performance.mistakes;

export function Mistakes({ project, iteration, evaluation, step, overlap, detection }: Shown): ReactElement {
  const [query, setQuery] = useQueryValues();
  const [trueTag, saidTag] = [query.get("true") ?? "", query.get("said") ?? ""];
  const cell = query.has("cell");
  const [at] = useDebouncedValue(step, 200);
  const found = useVerdicts(project.id, iteration.id, { trueTag, saidTag, wrong: !cell, threshold: at / 100, overlap });
  if (found.isError) return <Failure error={found.error} />;
  const total = found.data?.pages[0]?.total;
  if (total === undefined) return <Loading />;
  const several = project.settings.classificationType === "Multilabel";
  const kind = detection ? "boxes" : several ? "several" : "one";
  const name = (id: string): string => evaluation.tags.find((tag) => tag.id === id)?.name ?? "";
  return (
    <div>
      <Group justify="space-between" mb="md">
        <Text role="status">{told(total, cell, name(trueTag), name(saidTag))}</Text>
        {cell ? (
          <Button size="compact-sm" variant="default" onClick={() => setQuery({ true: "", said: "", cell: "" })}>
            {words.all}
          </Button>
        ) : (
          <Filter tags={evaluation.tags} trueTag={trueTag} saidTag={saidTag} />
        )}
      </Group>
      {detection && <Legend />}
      {total === 0 && (
        <Empty icon="check" title={words.none}>
          {words.noneHint}
        </Empty>
      )}
      <ul className={classes.gallery} data-wide={detection || undefined}>
        {found.data?.pages
          .flatMap((page) => page.images)
          .map((image) => (
            <li key={image.id}>
              <JudgedImage project={project.id} image={image} kind={kind} name={name} />
            </li>
          ))}
      </ul>
      {found.hasNextPage && (
        <Center mt="md">
          <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {words.more}
          </Button>
        </Center>
      )}
    </div>
  );
}

/** Mistakes of all tags, or one kind of them of one tag. */
function Filter({ tags, trueTag, saidTag }: { tags: TagEvaluation[]; trueTag: string; saidTag: string }): ReactElement {
  const [, setQuery] = useQueryValues();
  const chosen = saidTag ? `said ${saidTag}` : trueTag ? `true ${trueTag}` : "";
  return (
    <Select
      aria-label={words.filter}
      data={[
        { value: "", label: words.every },
        ...tags.flatMap(({ id, name }) => [
          { value: `said ${id}`, label: words.wrongly(name) },
          { value: `true ${id}`, label: words.notFound(name) },
        ]),
      ]}
      value={chosen}
      onChange={(value) => {
        const [which, id] = value.split(" ");
        setQuery({ true: "", said: "", ...(which && id && { [which]: id }) });
      }}
    />
  );
}

function told(total: number, cell: boolean, truth: string, said: string): string {
  if (cell) return words.cell(total, truth, said);
  if (said) return words.wrong(total, said);
  return truth ? words.missed(total, truth) : words.count(total);
}
