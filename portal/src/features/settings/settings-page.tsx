/** Settings of a project. */
import { Button, Group, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";

import { call, get, TRAINING } from "#/api/client.ts";
import { imageCount, imagesKey } from "#/api/images.ts";
import { useIterations } from "#/api/iterations.ts";
import { useDomains } from "#/api/projects.ts";
import { useServerKeys } from "#/api/server.ts";
import { useTags } from "#/api/tags.ts";
import type { Project, ProjectExport } from "#/api/types.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useMay, useServer } from "#/app/session.tsx";
import { done } from "#/app/undo.tsx";
import { DeleteProject } from "#/features/settings/delete-project.tsx";
import { Notices } from "#/features/settings/notices.tsx";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { CopyField } from "#/ui/copy-field.tsx";
import { Failure } from "#/ui/feedback.tsx";
import { Meter } from "#/ui/meter.tsx";
import { Section } from "#/ui/section.tsx";
import { Select } from "#/ui/select.tsx";

import classes from "./settings.module.css";

const words = text.settings;

export default function SettingsPage({ project }: PageProps): ReactElement {
  const manages = useMay("manage");
  return (
    <Stack className={classes.page}>
      <Title order={1} size="h2">
        {words.title}
      </Title>
      <General project={project} />
      <Access project={project} />
      <Use project={project} />
      <Notices project={project} />
      {manages && <CopyElsewhere project={project} />}
      {manages && <DeleteProject project={project} />}
    </Stack>
  );
}

function General({ project }: { project: Project }): ReactElement {
  const [name, setName] = useState(project.name);
  const [description, setDescription] = useState(project.description);
  const [kind, setKind] = useState(project.settings.classificationType ?? null);
  const [domainId, setDomain] = useState(project.settings.domainId ?? null);
  const domains = useDomains().data ?? [];
  const own = domains.find((each) => each.id === project.settings.domainId);
  const client = useQueryClient();
  const may = useMay("train");
  const save = useMutation({
    mutationFn: () =>
      call<Project>("PATCH", `${TRAINING}/projects/${project.id}`, {
        json: { name, description, settings: { domainId, classificationType: kind } },
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["projects"] });
      done(words.saved);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section title={words.general}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label={words.name} value={name} onChange={(event) => setName(event.currentTarget.value)} required maxLength={128} readOnly={!may} />
          <Textarea label={words.description} value={description} onChange={(event) => setDescription(event.currentTarget.value)} autosize minRows={2} readOnly={!may} />
          <TextInput label={words.type} description={words.typeFixed} value={text.projects.type[own?.type ?? ""] ?? ""} readOnly />
          {kind && (
            <Select
              label={words.kind}
              description={words.kindHint}
              data={words.kinds.map(([value, label]) => ({ value, label }))}
              value={kind}
              onChange={setKind}
              disabled={!may}
            />
          )}
          <Select
            label={words.domain}
            description={words.domainHint}
            data={domains.filter((each) => each.type === own?.type && each.enabled).map((each) => ({ value: each.id, label: each.name }))}
            value={domainId ?? ""}
            onChange={setDomain}
            disabled={!may}
          />
          {save.error && <Failure error={save.error} />}
          {may && (
            <Group justify="flex-end">
              <Button type="submit" loading={save.isPending}>
                {text.common.save}
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Section>
  );
}

function Access({ project }: { project: Project }): ReactElement {
  const server = useServer();
  const keys = useServerKeys().data;
  return (
    <Section title={words.access} why={words.accessWhy}>
      <CopyField label={words.endpoint} value={server.endpoint} />
      <CopyField label={words.projectId} value={project.id} />
      {keys ? (
        <>
          <CopyField label={words.trainingKey} value={keys.trainingKey} secret />
          <CopyField label={words.predictionKey} value={keys.predictionKey} secret />
        </>
      ) : (
        <Text size="sm">{words.keysHidden}</Text>
      )}
    </Section>
  );
}

function Use({ project }: { project: Project }): ReactElement {
  const { limits } = useServer();
  const images = useQuery({ queryKey: [...imagesKey(project.id), "count"], queryFn: () => imageCount(project.id) }).data;
  return (
    <Section title={words.use}>
      <Meter what={words.images} used={images} most={limits.images} />
      <Meter what={words.tags} used={useTags(project.id).data?.length} most={limits.tags} />
      <Meter what={words.iterations} used={useIterations(project.id).data?.length} most={limits.iterations} />
    </Section>
  );
}

function CopyElsewhere({ project }: { project: Project }): ReactElement {
  const make = useMutation({ mutationFn: () => get<ProjectExport>(`${TRAINING}/projects/${project.id}/export`) });
  return (
    <Section title={words.copy} why={words.copyWhy}>
      {make.error && <Failure error={make.error} />}
      {make.data ? (
        <>
          <Text size="sm">{words.holds(count(make.data.imageCount), count(make.data.iterationCount))}</Text>
          <CopyField label={words.token} value={make.data.token} />
        </>
      ) : (
        <Group>
          <Button variant="default" onClick={() => make.mutate()} loading={make.isPending}>
            {words.copyStart}
          </Button>
        </Group>
      )}
    </Section>
  );
}
