/** The boxes of one image: drawn, named and saved at once. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { near } from "#/api/client.ts";
import { imageKey, imagesByIds, listsChanged } from "#/api/images.ts";
import { createRegions, deleteRegions, proposeRegions } from "#/api/regions.ts";
import { createTag, tagsKey } from "#/api/tags.ts";
import type { Image, ImageRegion, Tag } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { done, failed } from "#/app/undo.tsx";
import { Details } from "#/features/editor/details.tsx";
import { EditorBar } from "#/features/editor/editor-bar.tsx";
import type { EditorProps } from "#/features/editor/editor-page.tsx";
import { LeaveDialog } from "#/features/editor/leave-dialog.tsx";
import { Saver } from "#/features/editor/saver.ts";
import { SuggestedBoxes } from "#/features/editor/suggestion-panel.tsx";
import { useLeaving } from "#/features/editor/use-leaving.ts";
import { type Suggestions, useSuggestions } from "#/features/editor/use-suggestions.ts";
import { overlap } from "#/lib/geometry.ts";
import { text } from "#/text/index.ts";
import { BoxCanvas } from "#/ui/canvas/box-canvas.tsx";
import { BoxList, TagList } from "#/ui/canvas/box-panel.tsx";
import { ghostsOf, surest } from "#/ui/canvas/ghosts.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import type { DrawnBox, Ghost } from "#/ui/canvas/types.ts";
import { newKey, useBoxes } from "#/ui/canvas/use-boxes.ts";
import { ToolButton } from "#/ui/tool-button.tsx";
import { useKeys } from "#/ui/use-keys.ts";
import layout from "#/ui/one-picture.module.css";

const words = text.editor;
/** A suggestion that covers a box as much as this is that box. */
const SAME_THING = 0.5;

export function BoxEditor(props: EditorProps): ReactElement {
  const { project, image, tags, neighbours, placeOf, grid } = props;
  const may = useMay("label");
  const client = useQueryClient();
  const [first] = useState(() => (image.regions ?? []).map(drawn));
  const model = useBoxes(first);
  const looks = useLooks(tags);
  const saver = useSaver(project.id, image, first, model.boxes);
  const state = useSyncExternalStore(saver.subscribe, saver.current);
  const leaving = useLeaving(saver);
  const suggestions = useSuggestions(project.id, image.id);
  const ghosts = useGhosts(suggestions, model.boxes, tags);
  const proposals = useQuery({
    queryKey: ["proposals", project.id, image.id],
    queryFn: async () => (await proposeRegions(project.id, image.id)).proposals.map((each) => each.boundingBox),
    enabled: may,
    staleTime: Infinity,
    retry: false,
  });
  const source = props.last ?? neighbours.before;
  const copy = async (): Promise<void> => {
    const [other] = await imagesByIds(project.id, [source ?? ""]);
    const boxes = (other?.regions ?? []).filter((box) => !model.boxes.some((each) => overlap(each, box) > 0.99));
    if (boxes.length > 0) model.add(boxes);
    done(words.copied(boxes.length));
  };
  const copying = may && source ? () => void copy().catch(failed) : undefined;
  const accept = (chosen: readonly Ghost[]): void => model.add(chosen);
  const gone = (): void => {
    neighbours.drop(image.id);
    const next = neighbours.after ?? neighbours.before;
    leaving.leave(next ? placeOf(next) : grid);
  };
  const create = async (name: string): Promise<string | undefined> => {
    try {
      const tag = await createTag(project.id, name);
      await client.invalidateQueries({ queryKey: tagsKey(project.id) });
      return tag.id;
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  useKeys({ c: copying, a: ghosts.length > 0 && (() => accept(ghosts)) });
  return (
    <div className={layout.page}>
      <EditorBar
        neighbours={neighbours}
        placeOf={placeOf}
        grid={grid}
        leave={leaving.leave}
        state={state}
        retry={saver.retry}
      >
        {may && (
          <>
            <ToolButton label={words.undo} icon="undo" act={model.canUndo ? model.undo : undefined} />
            <ToolButton label={words.redo} icon="redo" act={model.canRedo ? model.redo : undefined} />
            <ToolButton label={words.copy} icon="copy" act={copying} />
          </>
        )}
      </EditorBar>
      <div className={layout.body}>
        <BoxCanvas
          src={near(image.resizedImageUri)}
          alt={words.alt}
          width={image.width}
          height={image.height}
          model={model}
          tags={tags}
          looks={looks}
          editable={may}
          ghosts={ghosts}
          proposals={proposals.data ?? []}
          onAccept={(ghost) => accept([ghost])}
          onCreateTag={create}
        />
        <div className={layout.panel}>
          <TagList model={model} tags={tags} looks={looks} editable={may} />
          <SuggestedBoxes suggestions={suggestions} ghosts={ghosts} looks={looks} onAccept={accept} />
          <BoxList model={model} looks={looks} editable={may} />
          <Details project={project.id} image={image} onDeleted={gone} />
        </div>
      </div>
      <LeaveDialog leaving={leaving} />
    </div>
  );
}

const drawn = ({ tagId, left, top, width, height }: ImageRegion): DrawnBox => ({
  key: newKey(),
  tagId,
  left,
  top,
  width,
  height,
});

/** Keeps what is on the server the same as what is on the screen. */
function useSaver(project: string, image: Image, first: readonly DrawnBox[], boxes: readonly DrawnBox[]): Saver {
  const client = useQueryClient();
  const [saver] = useState(() => {
    const shelf = {
      create: (regions: Parameters<typeof createRegions>[1]) => createRegions(project, regions),
      remove: (ids: readonly string[]) => deleteRegions(project, ids),
      read: async () => (await imagesByIds(project, [image.id]))[0]?.regions ?? [],
    };
    const made = new Saver(image.id, shelf, (regions) => {
      const known = regions.map((region) => ({ tagName: null, created: image.created, ...region }));
      client.setQueryData<Image>(imageKey(project, image.id), (now) => now && { ...now, regions: known });
      void listsChanged(client, project);
      void client.invalidateQueries({ queryKey: tagsKey(project) });
    });
    made.begin(first, image.regions ?? []);
    return made;
  });
  useEffect(() => saver.want(boxes), [saver, boxes]);
  return saver;
}

/** What the model sees and nobody has drawn yet. */
function useGhosts({ predictions, threshold }: Suggestions, boxes: readonly DrawnBox[], tags: readonly Tag[]): Ghost[] {
  const seen = useMemo(
    () => surest(ghostsOf(predictions ?? [], threshold), new Set(tags.map((tag) => tag.id))),
    [predictions, threshold, tags],
  );
  return useMemo(() => seen.filter((ghost) => !boxes.some((box) => overlap(box, ghost) > SAME_THING)), [seen, boxes]);
}
