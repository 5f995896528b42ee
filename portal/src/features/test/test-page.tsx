/** Quick test of an iteration. */
import { Button, Group, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";

import { completed, useIterations } from "#/api/iterations.ts";
import { DETECTION, useDomains } from "#/api/projects.ts";
import { useTags } from "#/api/tags.ts";
import type { Iteration, Project } from "#/api/types.ts";
import { useQueryValues } from "#/app/location.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay } from "#/app/session.tsx";
import { failed } from "#/app/undo.tsx";
import { fetched, type Picture, taken } from "#/features/test/pictures.ts";
import { Result } from "#/features/test/result.tsx";
import { Sources } from "#/features/test/sources.tsx";
import { answerOf, Strip } from "#/features/test/strip.tsx";
import { ago } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Canvas } from "#/ui/canvas/canvas.tsx";
import { ghostsOf } from "#/ui/canvas/ghosts.ts";
import { useLooks } from "#/ui/canvas/looks.ts";
import type { Ghost } from "#/ui/canvas/types.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Icon } from "#/ui/icons.tsx";
import { Select } from "#/ui/select.tsx";
import { useDropped, usePasted } from "#/ui/use-given.ts";
import { useKeys } from "#/ui/use-keys.ts";

import classes from "./test.module.css";

const words = text.test;
const THRESHOLD = 0.5;

export default function TestPage({ project }: PageProps): ReactElement {
  const may = useMay("test");
  const iterations = useIterations(project.id);
  const domains = useDomains();
  if (!may) return <Empty icon="test" title={words.title}>{words.notAllowed}</Empty>;
  if (iterations.isPending || domains.isPending) return <Loading />;
  if (iterations.isError) return <Failure error={iterations.error} retry={() => void iterations.refetch()} />;
  const usable = completed(iterations.data);
  if (usable.length === 0) {
    return (
      <Empty
        icon="test"
        title={words.none}
        action={
          <Button component={Link} href={paths.images(project.id)}>
            {words.toImages}
          </Button>
        }
      >
        {words.teach}
      </Empty>
    );
  }
  const detects = domains.data?.find((each) => each.id === project.settings.domainId)?.type === DETECTION;
  return <Tests project={project} iterations={usable} detects={detects} />;
}

function Tests(props: { project: Project; iterations: Iteration[]; detects: boolean }): ReactElement {
  const { project, iterations, detects } = props;
  const [query, setQuery] = useQueryValues();
  const iteration = iterations.find((each) => each.id === query.get("iteration")) ?? iterations[0];
  const tested = { project: project.id, iteration: iteration?.id ?? "", detects };
  const looks = useLooks(useTags(project.id, iteration?.id).data);
  const { pictures, chosen, choose, add, clear } = usePictures();
  const [busy, setBusy] = useState(false);
  const [threshold, setThreshold] = useState(THRESHOLD);
  const mayFetch = useMay("label");
  const answer = useQuery(answerOf(tested, chosen));
  const ghosts = useMemo(() => ghostsOf(answer.data?.predictions ?? [], threshold), [answer.data, threshold]);

  const takeFiles = (files: readonly File[]): void => void add(files.map((file) => [file.name, file]));
  const takeUrl = async (url: string): Promise<boolean> => {
    setBusy(true);
    try {
      await add([[nameOf(url), await fetched(project.id, tested.iteration, url)]]);
      return true;
    } catch (error) {
      failed(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  usePasted((found) => void add(found.map(({ file }) => [words.pasted, file])));
  const over = useDropped((found) => takeFiles(found.map(({ file }) => file)));
  const step = (by: number) => (): void => {
    const next = pictures[pictures.findIndex((each) => each.id === chosen?.id) + by];
    if (next) choose(next.id);
  };
  useKeys({ arrowleft: step(-1), arrowright: step(1) });
  return (
    <div className={classes.page} data-over={over || undefined}>
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={1} size="h3">
            {words.title}
          </Title>
          <Text size="sm" c="var(--quiet)">
            {words.hint}
          </Text>
        </div>
        <Select
          label={words.iteration}
          w={280}
          maw="100%"
          data={iterations.map((each) => ({ value: each.id, label: `${each.name} · ${ago(each.trainedAt ?? each.created)}` }))}
          value={iteration?.id ?? ""}
          onChange={(id) => setQuery({ iteration: id })}
        />
      </Group>
      <Group mt="md" justify="space-between">
        <Sources
          busy={busy}
          onFiles={takeFiles}
          onPhoto={(photo) => void add([[words.fromCamera(pictures.length + 1), photo]])}
          onUrl={mayFetch ? takeUrl : undefined}
        />
        {pictures.length > 0 && (
          <Button variant="subtle" color="gray" onClick={clear}>
            {words.forget}
          </Button>
        )}
      </Group>
      <div className={chosen ? classes.body : undefined}>
        <div>
          <div className={classes.stage}>
            <Shown picture={chosen} ghosts={ghosts} looks={looks} />
          </div>
          {pictures.length > 1 && <Strip tested={tested} pictures={pictures} chosen={chosen?.id} onChoose={choose} />}
        </div>
        {chosen && (
          <div aria-live="polite">
            {answer.isFetching && <Loading label={words.asking} />}
            {answer.error && <Failure error={answer.error} retry={() => void answer.refetch()} />}
            {answer.data && (
              <Result
                picture={chosen}
                answer={answer.data}
                looks={looks}
                boxes={detects ? { shown: ghosts, threshold, setThreshold } : undefined}
              />
            )}
          </div>
        )}
      </div>
    </div>
  );
}

interface ShownProps {
  picture: Picture | undefined;
  ghosts: readonly Ghost[];
  looks: ReturnType<typeof useLooks>;
}

function Shown({ picture, ghosts, looks }: ShownProps): ReactElement {
  if (!picture) {
    return (
      <div className={classes.drop}>
        <div>
          <Icon name="images" size={40} style={{ color: "var(--quiet)" }} />
          <Text fw={600}>{words.drop}</Text>
          <Text size="sm" c="var(--quiet)">
            {words.dropHint}
          </Text>
        </div>
      </div>
    );
  }
  if (!picture.visible) return <div className={classes.unseen}>{words.unseen}</div>;
  return (
    <Canvas
      key={picture.id}
      src={picture.shown}
      alt={words.picture(picture.name)}
      width={picture.width}
      height={picture.height}
      looks={looks}
      ghosts={ghosts}
      solid
    />
  );
}

interface Pictures {
  pictures: readonly Picture[];
  chosen: Picture | undefined;
  choose: (id: string) => void;
  add: (given: readonly [string, Blob][]) => Promise<void>;
  clear: () => void;
}

/** The pictures of this page, one of them chosen; what they take of memory is given back with them. */
function usePictures(): Pictures {
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const [chosen, choose] = useState("");
  const held = useRef(pictures);
  held.current = pictures;
  useEffect(() => () => forget(held.current), []);
  const clear = (): void => {
    forget(pictures);
    setPictures([]);
  };
  const add = async (given: readonly [string, Blob][]): Promise<void> => {
    for (const [name, blob] of given) {
      try {
        const picture = await taken(name, blob);
        setPictures((now) => [...now, picture]);
        choose(picture.id);
      } catch (error) {
        failed(error);
      }
    }
  };
  return { pictures, chosen: pictures.find((each) => each.id === chosen), choose, add, clear };
}

function forget(pictures: readonly Picture[]): void {
  for (const picture of pictures) URL.revokeObjectURL(picture.shown);
}

/** The last part of an address. */
function nameOf(url: string): string {
  return url.split(/[?#]/)[0]?.split("/").findLast(Boolean) ?? url;
}
