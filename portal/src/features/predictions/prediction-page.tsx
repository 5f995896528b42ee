/** One stored prediction. */
import { Anchor, Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useEffect, useMemo } from "react";
import { Link } from "wouter";

import { near } from "#/api/client.ts";
import { DETECTION, useDomains } from "#/api/projects.ts";
import { createTag, tagsKey, useTags } from "#/api/tags.ts";
import type { ImageIdCreateEntry, Project, StoredImagePrediction, Tag } from "#/api/types.ts";
import { go, useQueryValues } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import { ReviewBoxes } from "#/features/predictions/review-boxes.tsx";
import { ReviewTags } from "#/features/predictions/review-tags.tsx";
import { useStored } from "#/features/predictions/use-stored.ts";
import { text } from "#/text/index.ts";
import { type Named, useLooks } from "#/ui/canvas/looks.ts";
import { ordered } from "#/ui/canvas/tag-choice.tsx";
import type { Looks } from "#/ui/canvas/types.ts";
import { Confirm } from "#/ui/confirm.tsx";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Icon, type IconName } from "#/ui/icons.tsx";
import { ToolButton } from "#/ui/tool-button.tsx";
import { useKeys } from "#/ui/use-keys.ts";
import layout from "#/ui/one-picture.module.css";

const words = text.predictions.one;

/** What both ways to review are given. */
export interface ReviewProps {
  row: StoredImagePrediction;
  width: number;
  height: number;
  tags: readonly Tag[];
  looks: Looks;
  may: boolean;
  single: boolean;
  onCreateTag: (name: string) => Promise<string | undefined>;
  /** Save what the picture becomes, and go on. */
  onSave: (entry: ImageIdCreateEntry) => void;
}

export default function PredictionPage({ project, prediction }: PageProps & { prediction: string }): ReactElement {
  const stored = useStored(project.id, { fresh: false });
  const [values] = useQueryValues();
  const kept = values.size > 0 ? `?${values}` : "";
  const at = stored.rows.findIndex((each) => each.id === prediction);
  const row = stored.rows[at];
  const { more } = stored;
  // The one asked for, and the one after it, may be on a page that is not here yet.
  const wantsMore = at < 0 || at === stored.rows.length - 1;
  useEffect(() => {
    if (wantsMore) more?.();
  }, [wantsMore, more]);
  const list = paths.predictions(project.id) + kept;
  const placeOf = (id: string | undefined): string | undefined => id && paths.prediction(project.id, id) + kept;

  if (stored.error) return <Failure error={stored.error} retry={stored.retry} />;
  if (!row && (stored.pending || stored.loadingMore || more)) return <Loading />;
  if (!row) {
    return (
      <Empty icon="camera" title={words.gone} action={<Anchor component={Link} href={list}>{words.back}</Anchor>}>
        {words.goneHint}
      </Empty>
    );
  }
  return (
    <Review
      key={row.id}
      project={project}
      row={row}
      before={placeOf(stored.rows[at - 1]?.id)}
      after={placeOf(stored.rows[at + 1]?.id)}
      list={list}
      save={stored.save}
      remove={stored.remove}
    />
  );
}

interface Props {
  project: Project;
  row: StoredImagePrediction;
  before: string | undefined;
  after: string | undefined;
  list: string;
  save: (entries: readonly ImageIdCreateEntry[]) => Promise<void>;
  remove: (ids: readonly string[]) => Promise<void>;
}

function Review({ project, row, before, after, list, save, remove }: Props): ReactElement {
  const may = useMay("label");
  const client = useQueryClient();
  const tagList = useTags(project.id);
  const domains = useDomains();
  const size = useSize(near(row.resizedImageUri));
  const detects = domains.data?.find((each) => each.id === project.settings.domainId)?.type === DETECTION;
  const tags = useMemo(() => ordered(tagList.data ?? [], detects), [tagList.data, detects]);
  const looks = useLooks(useShownTags(tagList.data, row));
  const [asking, ask] = useDisclosure(false);
  // Where one goes on to is known before the list is shorter by one.
  const next = after ?? before ?? list;
  const saving = useMutation({
    mutationFn: (entry: ImageIdCreateEntry) => save([entry]),
    onSuccess: () => go(next, { replace: true }),
    onError: failed,
  });
  const removing = useMutation({ mutationFn: () => remove([row.id]), onSuccess: () => go(next, { replace: true }) });
  const create = async (name: string): Promise<string | undefined> => {
    try {
      const { id } = await createTag(project.id, name);
      await client.invalidateQueries({ queryKey: tagsKey(project.id) });
      return id;
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  const to = (place: string | undefined) => (place ? () => go(place) : undefined);
  useKeys({ arrowleft: to(before), arrowright: to(after), pageup: to(before), pagedown: to(after) });
  const tools: [string, IconName, (() => void) | undefined][] = [
    [words.before, "arrowLeft", to(before)],
    [words.after, "arrowRight", to(after)],
  ];
  const Body = detects ? ReviewBoxes : ReviewTags;
  return (
    <div className={layout.page}>
      <div className={layout.bar} role="toolbar" aria-label={words.tools}>
        <Anchor component={Link} href={list} size="sm" c="inherit">
          {words.back}
        </Anchor>
        {tools.map(([label, icon, act]) => (
          <ToolButton key={label} label={label} icon={icon} act={act} />
        ))}
        <Text size="sm" c="var(--quiet)" visibleFrom="sm">
          {may ? words.keysHint : ""}
        </Text>
        <span className={layout.spacer} />
        {may && (
          <Button size="xs" variant="default" leftSection={<Icon name="trash" size={15} />} onClick={ask.open}>
            {words.delete}
          </Button>
        )}
      </div>
      {size.error ? <Failure error={size.error} /> : null}
      {size.data && tagList.data && domains.data ? (
        <Body
          row={row}
          width={size.data.width}
          height={size.data.height}
          tags={tags}
          looks={looks}
          may={may && !saving.isPending}
          single={project.settings.classificationType === "Multiclass"}
          onCreateTag={create}
          onSave={saving.mutate}
        />
      ) : (
        <Loading />
      )}
      <Confirm
        opened={asking}
        title={text.predictions.deleteTitle(1)}
        action={text.common.delete}
        busy={removing.isPending}
        error={removing.error}
        onConfirm={() => removing.mutate()}
        onClose={ask.close}
      >
        {text.predictions.deleteHint}
      </Confirm>
    </div>
  );
}

/** The tags of the project, and those that the iteration knows although they were deleted meanwhile. */
function useShownTags(tags: readonly Tag[] | undefined, row: StoredImagePrediction): readonly Named[] {
  return useMemo(() => {
    const shown = new Map<string, Named>(row.predictions.map(({ tagId, tagName }) => [tagId, { id: tagId, name: tagName }]));
    for (const tag of tags ?? []) shown.set(tag.id, tag);
    return [...shown.values()];
  }, [tags, row]);
}

/** How large a picture is: predictions do not tell. */
function useSize(src: string) {
  return useQuery({
    queryKey: ["size", src],
    queryFn: async () => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return { width: image.naturalWidth, height: image.naturalHeight };
    },
    staleTime: Infinity,
  });
}
