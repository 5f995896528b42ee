/** The images of a project. */
import { Button, List, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactElement, useCallback, useMemo, useState } from "react";

import { countQuery, filterOf, type ImageFilter, takes } from "#/api/images.ts";
import { DETECTION, useDomains } from "#/api/projects.ts";
import { useTags } from "#/api/tags.ts";
import type { Image, Project } from "#/api/types.ts";
import { go, useQueryValues } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import { FilterPanel } from "#/features/images/filter-panel.tsx";
import { ImageGrid } from "#/features/images/image-grid.tsx";
import { Toolbar } from "#/features/images/toolbar.tsx";
import { AddButton } from "#/features/images/upload/add-images.tsx";
import { imagesBetween } from "#/features/images/use-images.ts";
import { useWrong } from "#/features/images/use-wrong.ts";
import { useUpload } from "#/features/images/upload/use-upload.ts";
import { useLabelling } from "#/app/use-labelling.ts";
import type { Found } from "#/lib/dropped.ts";
import { extended, NOTHING, type Selection } from "#/lib/selection.ts";
import { text } from "#/text/index.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import { Empty } from "#/ui/feedback.tsx";
import { later } from "#/ui/later.tsx";
import { useDropped, usePasted } from "#/ui/use-given.ts";

import classes from "./images.module.css";

const UploadDialog = later(() => import("#/features/images/upload/upload-dialog.tsx"));

const NONE: ReadonlySet<string> = new Set();

export function ImagesPage({ project }: PageProps): ReactElement {
  const [values, change] = useQueryValues();
  const filter = useMemo(() => filterOf(values), [values]);
  const workspace = !filter.iterationId;
  const type = useDomains().data?.find((each) => each.id === project.settings.domainId)?.type ?? "Classification";
  const tags = useTags(project.id, filter.iterationId ?? "").data;
  const looks = useLooks(tags);
  const total = useQuery(countQuery(project.id, filter));
  const wrong = useWrong(project.id, filter.iterationId);
  const labelling = useLabelling(project);
  const may = useMay("label");
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(NONE);
  const [found, setFound] = useState<Found[] | null>(null);
  const [dialog, setDialog] = useState(false);
  const [known, setKnown] = useState<ReadonlyMap<string, Image>>(new Map());
  const learn = useCallback((images: readonly Image[]) => {
    setKnown((before) => {
      const fresh = images.filter((image) => before.get(image.id) !== image);
      return fresh.length ? new Map([...before, ...fresh.map((image) => [image.id, image] as const)]) : before;
    });
  }, []);
  const receive = useCallback((files: Found[]) => {
    setFound(files);
    setDialog(true);
  }, []);
  const over = useDropped(may && receive);
  usePasted(may && receive);
  const upload = useUpload(project.id);
  const client = useQueryClient();
  const range = useCallback(
    (anchor: number, place: number) =>
      void imagesBetween(client, project.id, filter, [anchor, place]).then((images) => {
        learn(images);
        setSelection((now) => extended(now, images.map((image) => image.id), anchor));
      }, failed),
    [client, project.id, filter, learn],
  );
  const chosen = [...selection.ids].map((id) => known.get(id)).filter((image) => image !== undefined);
  const clear = (): void => setSelection(NOTHING);
  const remove = (): void => {
    labelling.remove(chosen, (ids) => setHidden(new Set(ids)), () => setHidden(NONE));
    clear();
  };
  const press = (event: KeyboardEvent): void => {
    if (!may || !workspace || !chosen.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const tag = /^[1-9]$/.test(event.key) ? labelling.tags[Number(event.key) - 1] : undefined;
    if (tag && type !== DETECTION) void labelling.give(chosen, tag);
    else if (event.key === "Delete") remove();
  };
  const open = useCallback(
    (image: Image, place: number) => {
      const query = new URLSearchParams(values);
      query.set("at", String(place));
      go(`${paths.image(project.id, image.id)}?${query}`);
    },
    [project.id, values],
  );
  const add = (
    <>
      {upload && (
        <Button size="xs" variant="light" onClick={() => { setFound(null); setDialog(true); }}>
          {text.images.upload.open}
        </Button>
      )}
      <AddButton onFound={receive} />
    </>
  );
  return (
    <div className={classes.page}>
      <FilterPanel project={project} values={values} onChange={(next) => { clear(); change(next); }} />
      <section className={classes.main}>
        <Toolbar
          project={project}
          labelling={labelling}
          total={total.data}
          chosen={chosen}
          tagging={type !== DETECTION}
          workspace={workspace}
          add={add}
          onAll={() => void everything(project, filter).then((images) => {
            learn(images);
            setSelection({ ids: new Set(images.map((image) => image.id)), anchor: 0 });
          }, failed)}
          onClear={clear}
          onDelete={remove}
        />
        {over && <div className={classes.drop}>{text.images.drop}</div>}
        <ImageGrid
          key={JSON.stringify(filter)}
          project={project.id}
          filter={filter}
          looks={looks}
          selection={selection}
          hidden={hidden}
          wrong={wrong}
          onShown={learn}
          onSelect={setSelection}
          onRange={range}
          onOpen={open}
          onKey={press}
          empty={<Nothing type={type} filtered={values.size > 0} add={may ? <AddButton onFound={receive} /> : null} onAll={() => go(paths.images(project.id))} />}
        />
      </section>
      {dialog && (
        <UploadDialog
          project={project}
          found={found}
          tagging={type !== DETECTION}
          onBegun={() => setFound(null)}
          onClose={() => setDialog(false)}
        />
      )}
    </div>
  );
}

function Nothing(props: { type: string; filtered: boolean; add: ReactElement | null; onAll: () => void }): ReactElement {
  if (props.filtered) {
    return (
      <Empty icon="filter" title={text.images.noMatch} action={<Button onClick={props.onAll}>{text.images.showAll}</Button>}>
        {text.images.noMatchHint}
      </Empty>
    );
  }
  return (
    <Empty icon="images" title={text.images.none} action={props.add}>
      <List ta="left" spacing="xs">
        {text.images.teach[props.type]?.map((line) => (
          <List.Item key={line}>
            <Text>{line}</Text>
          </List.Item>
        ))}
      </List>
    </Empty>
  );
}

/** Every image of a filter, also those that were never in view. */
async function everything(project: Project, filter: ImageFilter): Promise<Image[]> {
  const all: Image[] = [];
  for await (const images of takes(project.id, filter)) all.push(...images);
  return all;
}
