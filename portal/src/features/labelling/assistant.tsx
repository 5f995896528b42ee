/** The assistant: suggestions that change with each tag that is given. */
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import { Link } from "wouter";

import { assisted, labellingKey, likely } from "#/api/suggestions.ts";
import type { AssistedImage, Project, Tag } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { useMay } from "#/app/session.tsx";
import { type Labelling, useLabelling } from "#/app/use-labelling.ts";
import { FirstImages } from "#/features/labelling/first-images.tsx";
import { SuggestionCard } from "#/features/labelling/suggestion-card.tsx";
import { Threshold } from "#/features/labelling/threshold.tsx";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Select } from "#/ui/select.tsx";

import classes from "./labelling.module.css";

const words = text.labelling;
const SURE = 0.8;
const LOOK_AGAIN_MS = 1_500;

export function Assistant({ project }: { project: Project }): ReactElement {
  const [order, setOrder] = useState("surest");
  const [sure, setSure] = useState(SURE);
  const labelling = useLabelling(project);
  const found = useQuery({
    queryKey: [...labellingKey(project.id), "assistant", order],
    queryFn: () => assisted(project.id, order === "surest"),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.waiting ? LOOK_AGAIN_MS : false),
  });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const { images, learned, untagged, waiting } = found.data;
  if (!untagged) return <AllTagged project={project} labelling={labelling} />;
  return (
    <Stack gap="xs">
      <Text c="var(--quiet)">{words.assistantWhy}</Text>
      {waiting > 0 && (
        <Text size="sm" role="status">
          {words.waiting(count(waiting))}
        </Text>
      )}
      {learned === 0 ? (
        <FirstImages project={project} labelling={labelling} />
      ) : (
        <>
          <div className={classes.bar}>
            <Text size="sm" role="status">
              {words.learned(count(learned), count(untagged))}
            </Text>
            <Group>
              <Select
                size="xs"
                label={words.order}
                value={order}
                onChange={setOrder}
                data={[
                  { value: "surest", label: words.surest },
                  { value: "unsurest", label: words.unsurest },
                ]}
              />
              <Threshold label={words.sure} value={sure} onChange={setSure} />
            </Group>
          </div>
          <Groups images={images} labelling={labelling} project={project} sure={sure} />
        </>
      )}
    </Stack>
  );
}

interface GroupsProps {
  images: AssistedImage[];
  labelling: Labelling;
  project: Project;
  sure: number;
}

function Groups({ images, labelling, project, sure }: GroupsProps): ReactElement {
  const exclusive = project.settings.classificationType === "Multiclass";
  const [changed, setChanged] = useState<Record<string, boolean>>({});
  const looks = useLooks(labelling.tags);
  const may = useMay("label");
  const ticked = (image: AssistedImage): boolean => changed[image.id] ?? (image.predictions[0]?.probability ?? 0) >= sure;
  const groups = Map.groupBy(images, (image) => image.predictions[0]?.tagId ?? "");
  return (
    <>
      {labelling.tags
        .filter((tag) => groups.has(tag.id))
        .map((tag) => {
          const own = groups.get(tag.id) ?? [];
          const chosen = own.filter(ticked);
          return (
            <section key={tag.id}>
              <Group justify="space-between">
                <Title order={2} size="h4">
                  {words.group(tag.name, count(own.length))}
                </Title>
                {may && (
                  <Button size="xs" disabled={!chosen.length} onClick={() => void confirm(labelling, chosen, tag, exclusive)}>
                    {words.confirm(count(chosen.length), tag.name)}
                  </Button>
                )}
              </Group>
              <ul className={classes.cards}>
                {own.map((image) => (
                  <SuggestionCard
                    key={image.id}
                    place={images.indexOf(image) + 1}
                    picture={image.thumbnailUri}
                    tags={labelling.tags}
                    looks={looks}
                    predictions={image.predictions}
                    ticked={ticked(image)}
                    onTick={(value) => setChanged((before) => ({ ...before, [image.id]: value }))}
                    onGive={may ? (each) => void labelling.give([image], each) : undefined}
                  />
                ))}
              </ul>
            </section>
          );
        })}
    </>
  );
}

function confirm(labelling: Labelling, images: AssistedImage[], tag: Tag, exclusive: boolean): Promise<void> {
  const pairs = images.flatMap((image) =>
    likely(image.predictions, exclusive).map(({ tagId }) => ({ imageId: image.id, tagId })),
  );
  return labelling.giveAll(pairs, words.confirmed(images.length, tag.name));
}

function AllTagged({ project, labelling }: { project: Project; labelling: Labelling }): ReactElement {
  const tagged = labelling.tags.some((tag) => tag.imageCount > 0);
  return (
    <Empty
      icon={tagged ? "check" : "images"}
      title={tagged ? words.nothing : words.noImages}
      action={
        <Button component={Link} href={paths.images(project.id)} variant="default">
          {words.toImages}
        </Button>
      }
    >
      {tagged && words.nothingWhy}
    </Empty>
  );
}
