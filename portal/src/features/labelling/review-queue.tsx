/** The answers to review: by tag, by probability, in the order of uncertainty; confirmed one by one or many at once. */
import { Button, Group, Stack, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";

import { imagesKey } from "#/api/images.ts";
import { createManyRegions, type NewRegion } from "#/api/regions.ts";
import { labellingKey, likely, suggested, type Suggested, suggestedCount } from "#/api/suggestions.ts";
import { tagsKey } from "#/api/tags.ts";
import type { Iteration, Project } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { done, failed } from "#/app/undo.tsx";
import { useLabelling } from "#/app/use-labelling.ts";
import { BoxCard } from "#/features/labelling/box-card.tsx";
import { SuggestionCard } from "#/features/labelling/suggestion-card.tsx";
import { Threshold } from "#/features/labelling/threshold.tsx";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Select } from "#/ui/select.tsx";

import classes from "./labelling.module.css";

const words = text.labelling;
const SETTLED_MS = 250;

interface Props {
  project: Project;
  iteration: Iteration;
  detection: boolean;
}

export function ReviewQueue({ project, iteration, detection }: Props): ReactElement {
  const [tag, setTag] = useState("");
  const [order, setOrder] = useState("UncertaintyDescending");
  const [threshold, setThreshold] = useState(0.5);
  const [settled] = useDebouncedValue(threshold, SETTLED_MS);
  const [changed, setChanged] = useState<Record<string, boolean>>({});
  const labelling = useLabelling(project);
  const client = useQueryClient();
  const may = useMay("label");
  const exclusive = project.settings.classificationType === "Multiclass";
  const looks = useLooks(labelling.tags);
  const key = [...labellingKey(project.id), "queue", iteration.id];
  const counts = useQuery({
    queryKey: [...key, "counts", settled],
    queryFn: () => suggestedCount(project.id, iteration.id, [], settled),
    placeholderData: keepPreviousData,
  });
  const pages = useInfiniteQuery({
    queryKey: [...key, tag, order, settled],
    queryFn: ({ pageParam }) => suggested(project.id, iteration.id, pageParam),
    initialPageParam: { tagIds: tag ? [tag] : [], threshold: settled, sortBy: order },
    getNextPageParam: (last) => (last.token.continuation ? (last.token as never) : undefined),
    placeholderData: keepPreviousData,
  });
  const found = pages.data?.pages.flatMap((page) => page.results) ?? [];
  const ticked = (each: Suggested): boolean => changed[each.id] ?? false;
  const chosen = found.filter(ticked);
  const known = new Set(labelling.tags.map((each) => each.id));
  const sure = (each: Suggested): Suggested["predictions"] =>
    each.predictions.filter((said) => said.probability >= settled && known.has(said.tagId));
  const accept = async (): Promise<void> => {
    if (detection) await acceptBoxes(project.id, chosen, sure);
    else {
      const pairs = chosen.flatMap((each) =>
        likely(each.predictions.filter((said) => known.has(said.tagId)), exclusive).map(({ tagId }) => ({ imageId: each.id, tagId })),
      );
      await labelling.giveAll(pairs, words.accepted(chosen.length));
    }
    setChanged({});
    for (const stale of [labellingKey, imagesKey, tagsKey]) await client.invalidateQueries({ queryKey: stale(project.id) });
  };
  return (
    <Stack gap="xs">
      <div className={classes.bar}>
        <Title order={2} size="h4">
          {words.queue}
        </Title>
        <Group align="flex-end">
          <Select
            size="xs"
            label={text.images.tags}
            value={tag}
            onChange={setTag}
            data={[
              { value: "", label: words.all },
              ...labelling.tags.map((each) => ({ value: each.id, label: `${each.name} (${counts.data?.[each.id] ?? 0})` })),
            ]}
          />
          <Select
            size="xs"
            label={words.uncertain}
            value={order}
            onChange={setOrder}
            data={[
              { value: "UncertaintyDescending", label: words.leastSure },
              { value: "UncertaintyAscending", label: words.mostSure },
            ]}
          />
          <Threshold label={words.threshold} value={threshold} onChange={setThreshold} />
        </Group>
      </div>
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isPending && <Loading />}
      {pages.data && !found.length && <Empty icon="sparkle" title={words.queueEmpty} />}
      {found.length > 0 && may && (
        <Group>
          <Button size="xs" disabled={!chosen.length} onClick={() => void accept().catch(failed)}>
            {words.accept(count(chosen.length))}
          </Button>
          <Button size="xs" variant="default" onClick={() => setChanged(Object.fromEntries(found.map((each) => [each.id, true])))}>
            {words.tick}
          </Button>
          <Button size="xs" variant="default" onClick={() => setChanged({})}>
            {words.untick}
          </Button>
        </Group>
      )}
      <ul className={classes.cards}>
        {found.map((each, at) => {
          const common = {
            place: at + 1,
            looks,
            ticked: ticked(each),
            onTick: (value: boolean) => setChanged((before) => ({ ...before, [each.id]: value })),
          };
          return detection ? (
            <BoxCard key={each.id} {...common} project={project.id} image={each} boxes={sure(each)} />
          ) : (
            <SuggestionCard
              key={each.id}
              {...common}
              picture={each.thumbnailUri}
              tags={labelling.tags}
              predictions={each.predictions}
              onGive={may ? (given) => void labelling.give([each], given) : undefined}
            />
          );
        })}
      </ul>
      {pages.hasNextPage && (
        <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {words.showMore}
        </Button>
      )}
    </Stack>
  );
}

async function acceptBoxes(
  project: string,
  images: readonly Suggested[],
  sure: (image: Suggested) => Suggested["predictions"],
): Promise<void> {
  const regions = images.flatMap((image) =>
    sure(image).flatMap(({ tagId, boundingBox }): NewRegion[] => (boundingBox ? [{ imageId: image.id, tagId, ...boundingBox }] : [])),
  );
  const undo = await createManyRegions(project, regions);
  done(words.accepted(images.length), undo);
}
