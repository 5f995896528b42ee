/** The images to tag before the assistant knows anything: those that stand for the others. */
import { Button, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Link } from "wouter";

import { labellingKey, nextImages } from "#/api/suggestions.ts";
import type { Project } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { useMay } from "#/app/session.tsx";
import type { Labelling } from "#/app/use-labelling.ts";
import { SuggestionCard } from "#/features/labelling/suggestion-card.tsx";
import { text } from "#/text/index.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";

import classes from "./labelling.module.css";

const LOOK_AGAIN_MS = 1_500;

export function FirstImages({ project, labelling }: { project: Project; labelling: Labelling }): ReactElement {
  const found = useQuery({
    queryKey: [...labellingKey(project.id), "next"],
    queryFn: () => nextImages(project.id),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.waiting ? LOOK_AGAIN_MS : false),
  });
  const looks = useLooks(labelling.tags);
  const may = useMay("label");
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  if (!labelling.tags.length) {
    return (
      <Empty
        icon="tag"
        title={text.labelling.noTags}
        action={
          <Button component={Link} href={paths.images(project.id)}>
            {text.labelling.toTags}
          </Button>
        }
      />
    );
  }
  return (
    <Stack gap={4}>
      <Title order={2} size="h4">
        {text.labelling.start}
      </Title>
      <Text size="sm" c="var(--quiet)">
        {text.labelling.startWhy}
      </Text>
      <ul className={classes.cards}>
        {found.data.images.map((image, at) => (
          <SuggestionCard
            key={image.id}
            place={at + 1}
            picture={image.thumbnailUri}
            tags={labelling.tags}
            looks={looks}
            predictions={[]}
            onGive={may ? (tag) => void labelling.give([image], tag) : undefined}
          />
        ))}
      </ul>
    </Stack>
  );
}
