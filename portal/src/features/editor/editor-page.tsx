/** One image: its boxes, or its tags. */
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useMemo, useRef, useState } from "react";
import { Link } from "wouter";

import { filterOf, imageKey, imagesByIds, type ImageFilter } from "#/api/images.ts";
import { DETECTION, useDomains } from "#/api/projects.ts";
import { useTags } from "#/api/tags.ts";
import type { Image, Project, Tag } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { BoxEditor } from "#/features/editor/box-editor.tsx";
import { TagEditor } from "#/features/editor/tag-editor.tsx";
import { type Neighbours, useOrder } from "#/features/editor/use-order.ts";
import { text } from "#/text/index.ts";
import { ordered } from "#/ui/canvas/tag-choice.tsx";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";

/** What both editors are given. */
export interface EditorProps {
  project: Project;
  image: Image;
  tags: readonly Tag[];
  neighbours: Neighbours;
  /** The image that was shown before this one. */
  last: string | undefined;
  /** The place of an image, with the filters that led here. */
  placeOf: (image: string) => string;
  /** The grid of images, with the same filters. */
  grid: string;
}

export default function EditorPage({ project, image }: PageProps & { image: string }): ReactElement {
  const [query] = useQueryValues();
  const [filter] = useState<ImageFilter>(() => filterOf(query));
  const [hint] = useState(() => Number(query.get("at")) || 0);
  const neighbours = useOrder(project.id, image, filter, hint);
  const last = useLast(image);
  const kept = useMemo(() => {
    const values = new URLSearchParams(query);
    values.delete("at");
    return values.size > 0 ? `?${values}` : "";
  }, [query]);
  return (
    <Loaded
      key={image}
      project={project}
      id={image}
      neighbours={neighbours}
      last={last}
      placeOf={(id) => paths.image(project.id, id) + kept}
      grid={paths.images(project.id) + kept}
    />
  );
}

type LoadedProps = Omit<EditorProps, "image" | "tags"> & { id: string };

/** Waits for the image as the server has it now: what is edited must not begin from what was known some time ago. */
function Loaded({ id, ...props }: LoadedProps): ReactElement {
  const { project } = props;
  const image = useQuery({
    queryKey: imageKey(project.id, id),
    queryFn: async ({ signal }) => (await imagesByIds(project.id, [id], signal))[0] ?? null,
  });
  const tags = useTags(project.id);
  const domains = useDomains();
  const detects = domains.data?.find((each) => each.id === project.settings.domainId)?.type === DETECTION;
  const named = useMemo(() => ordered(tags.data ?? [], detects), [tags.data, detects]);
  const [ready, setReady] = useState(false);
  if (!ready && image.data !== undefined && tags.data && domains.data && (image.isFetchedAfterMount || !image.isStale)) {
    setReady(true);
  }
  const error = image.error ?? tags.error ?? domains.error;
  if (error && !ready) return <Failure error={error} retry={() => void image.refetch()} />;
  if (image.data === null) {
    return (
      <Empty
        icon="images"
        title={text.editor.gone}
        action={
          <Anchor component={Link} href={props.grid}>
            {text.editor.back}
          </Anchor>
        }
      >
        {text.editor.goneHint}
      </Empty>
    );
  }
  if (!ready || !image.data) return <Loading />;
  const given = { ...props, image: image.data, tags: named };
  return detects ? <BoxEditor {...given} /> : <TagEditor {...given} />;
}

function useLast(image: string): string | undefined {
  const shown = useRef<{ now: string; last: string | undefined }>({ now: image, last: undefined });
  if (shown.current.now !== image) shown.current = { now: image, last: shown.current.now };
  return shown.current.last;
}
