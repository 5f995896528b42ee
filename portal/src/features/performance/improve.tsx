/** What would make the next iteration better: doubtful tags, and where more images help most. */
import { Group, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { Link } from "wouter";

import { near } from "#/api/client.ts";
import type { Iteration, LabelError, TagCurve } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useLabelErrors, useLearningCurve } from "#/features/performance/api.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";

import classes from "./performance.module.css";

const words = text.performance.improve;

export function Improve(props: PageProps & { iteration: Iteration }): ReactElement {
  return (
    <Stack gap="xl">
      <LabelErrors {...props} />
      <Growth {...props} />
    </Stack>
  );
}

function LabelErrors({ project, iteration }: PageProps & { iteration: Iteration }): ReactElement {
  const found = useLabelErrors(project.id, iteration.id);
  return (
    <section>
      <Title order={2} size="h4">
        {words.errors}
      </Title>
      {found.isPending && <Loading />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && (
        <Text size="sm" c="var(--quiet)" mb="sm">
          {found.data.length ? words.errorsHint : words.errorsNone}
        </Text>
      )}
      <ul className={classes.gallery}>
        {found.data?.map((doubt) => (
          <li key={`${doubt.id}${doubt.givenTag?.id}${doubt.likelyTag?.id}`}>
            <Doubt project={project.id} doubt={doubt} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Doubt({ project, doubt }: { project: string; doubt: LabelError }): ReactElement {
  const asked = words.error(doubt.givenTag?.name, doubt.likelyTag?.name);
  return (
    <Link href={paths.image(project, doubt.id)} className={classes.shot ?? ""}>
      <div className={classes.photo}>
        <img src={near(doubt.thumbnailUri)} alt="" loading="lazy" />
      </div>
      <div style={{ padding: "8px 10px" }}>
        <Text size="sm">{asked}</Text>
        <Text size="xs" c="var(--quiet)">
          {words.sure(percent(doubt.sureness, 0))}
        </Text>
      </div>
    </Link>
  );
}

function Growth({ project, iteration }: PageProps & { iteration: Iteration }): ReactElement {
  const found = useLearningCurve(project.id, iteration.id);
  const tags = found.data?.tags.toSorted((one, other) => (other.gain ?? -1) - (one.gain ?? -1));
  const most = Math.max(0.05, ...(tags ?? []).map((tag) => tag.gainHigh ?? 0));
  return (
    <section>
      <Title order={2} size="h4">
        {words.curve(found.data?.moreImages ?? 10)}
      </Title>
      <Text size="sm" c="var(--quiet)" mb="sm">
        {words.curveHint}
      </Text>
      {found.isPending && <Loading />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && found.data.waiting > 0 && <Text role="status">{words.waiting(found.data.waiting)}</Text>}
      <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: "none" }} maw={560}>
        {tags?.map((tag) => (
          <li key={tag.tagId}>
            <Gain tag={tag} most={most} />
          </li>
        ))}
      </Stack>
    </section>
  );
}

function Gain({ tag, most }: { tag: TagCurve; most: number }): ReactElement {
  const { gain, gainLow, gainHigh } = tag;
  const known = gain !== null && gainLow !== null && gainHigh !== null;
  const x = (value: number): number => (Math.max(0, value) / most) * 100;
  return (
    <>
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          {tag.tagName}
        </Text>
        <Text size="sm" c={known ? undefined : "var(--quiet)"}>
          {known ? words.gain(signed(gain), signed(gainLow), signed(gainHigh)) : words.unknown(tag.imageCount)}
        </Text>
      </Group>
      {known && (
        <svg className={classes.bar} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
          <rect x={0} y={3} width={100} height={2} fill="var(--line)" />
          <rect x={x(gainLow)} y={2.5} width={Math.max(0.5, x(gainHigh) - x(gainLow))} height={3} fill="var(--accent)" opacity={0.35} />
          <rect x={Math.max(0, x(gain) - 0.5)} y={0} width={1} height={8} fill="var(--accent)" />
        </svg>
      )}
    </>
  );
}

const signed = (value: number): string => `${value >= 0 ? "+" : "−"}${percent(Math.abs(value))}`;
