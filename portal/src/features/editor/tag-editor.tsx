/** One image of a classifier: large, with its tags, and what the newest iteration says of it. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useMemo } from "react";

import { near } from "#/api/client.ts";
import { createTag, tagsKey } from "#/api/tags.ts";
import type { Prediction, Tag } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import { Details } from "#/features/editor/details.tsx";
import { EditorBar } from "#/features/editor/editor-bar.tsx";
import type { EditorProps } from "#/features/editor/editor-page.tsx";
import { LeaveDialog } from "#/features/editor/leave-dialog.tsx";
import { Suggested } from "#/features/editor/suggestion-panel.tsx";
import { useImageTags } from "#/features/editor/use-image-tags.ts";
import { useLeaving } from "#/features/editor/use-leaving.ts";
import { type Suggestions, useSuggestions } from "#/features/editor/use-suggestions.ts";
import { text } from "#/text/index.ts";
import { digits } from "#/ui/canvas/box-canvas.tsx";
import { Canvas } from "#/ui/canvas/canvas.tsx";
import { useLooks } from "#/ui/canvas/looks.ts";
import { Chips, TagToggles } from "#/ui/canvas/tag-choice.tsx";
import { TagField } from "#/ui/canvas/tag-field.tsx";
import type { Looks } from "#/ui/canvas/types.ts";
import { Scores } from "#/ui/scores.tsx";
import { useKeys } from "#/ui/use-keys.ts";
import layout from "#/ui/one-picture.module.css";

/** How many suggestions are told of a model with many tags. */
const MOST_TOLD = 5;

export function TagEditor(props: EditorProps): ReactElement {
  const { project, image, tags, neighbours, placeOf, grid } = props;
  const may = useMay("label");
  const client = useQueryClient();
  const looks = useLooks(tags);
  const single = project.settings.classificationType === "Multiclass";
  const model = useImageTags(project.id, image, tags, single);
  const leaving = useLeaving(model);
  const suggestions = useSuggestions(project.id, image.id);
  const told = useTold(suggestions, tags, model.tagIds);
  const best = told[0];
  const create = async (name: string): Promise<boolean> => {
    try {
      const tag = await createTag(project.id, name);
      await client.invalidateQueries({ queryKey: tagsKey(project.id) });
      model.toggle(tag.id);
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };
  const gone = (): void => {
    neighbours.drop(image.id);
    const next = neighbours.after ?? neighbours.before;
    leaving.leave(next ? placeOf(next) : grid);
  };
  const { toggle } = model;
  useKeys({ ...(may && digits(tags, toggle)), a: may && best && (() => toggle(best.tagId)), "ctrl+z": model.undo });
  return (
    <div className={layout.page}>
      <EditorBar
        neighbours={neighbours}
        placeOf={placeOf}
        grid={grid}
        leave={leaving.leave}
        state={model.state}
        retry={model.retry}
      />
      <div className={layout.body}>
        <Canvas src={near(image.resizedImageUri)} alt={text.editor.alt} width={image.width} height={image.height} looks={looks} />
        <div className={layout.panel}>
          <Chips tagIds={model.tagIds} looks={looks} single={single} onRemove={may ? model.toggle : undefined} />
          {may && (
            <TagField
              label={single ? text.canvas.chooseTag : text.canvas.addTag}
              tags={tags}
              looks={looks}
              onChoose={(id) => !model.tagIds.includes(id) && toggle(id)}
              onCreate={create}
              list="typed"
            />
          )}
          <Suggested suggestions={suggestions}>
            <Told told={told} looks={looks} onAccept={toggle} />
          </Suggested>
          <TagToggles tags={tags} tagIds={model.tagIds} looks={looks} onToggle={may ? toggle : undefined} />
          <Details project={project.id} image={image} onDeleted={gone} />
        </div>
      </div>
      <LeaveDialog leaving={leaving} />
    </div>
  );
}

function Told(props: { told: readonly Prediction[]; looks: Looks; onAccept: (id: string) => void }): ReactElement {
  const [best] = props.told;
  return (
    <>
      <Scores label={text.editor.suggestions.title} predictions={props.told} looks={props.looks} digits={0} />
      {best && (
        <Button size="xs" variant="default" mt={8} fullWidth onClick={() => props.onAccept(best.tagId)}>
          {text.editor.suggestions.acceptBest(best.tagName)}
        </Button>
      )}
    </>
  );
}

/** Suggested tags that the image does not bear, the most probable first. */
function useTold({ predictions }: Suggestions, tags: readonly Tag[], given: readonly string[]): readonly Prediction[] {
  return useMemo(() => {
    const known = new Set(tags.map((tag) => tag.id));
    return (predictions ?? []).filter((each) => known.has(each.tagId) && !given.includes(each.tagId)).slice(0, MOST_TOLD);
  }, [predictions, tags, given]);
}
