/** The gallery of projects. */
import { Badge, Button, Card, Group, SimpleGrid, Text, TextInput, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactElement, useState } from "react";
import { Link } from "wouter";

import { near } from "#/api/client.ts";
import { useDomains, useProjects } from "#/api/projects.ts";
import type { Domain, Project } from "#/api/types.ts";
import { paths } from "#/app/paths.ts";
import { useMay } from "#/app/session.tsx";
import { Shell } from "#/app/shell.tsx";
import { ago } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Empty, Failure, Loading } from "#/ui/feedback.tsx";
import { Icon } from "#/ui/icons.tsx";
import { later } from "#/ui/later.tsx";

import classes from "./projects.module.css";

const CreateProject = later(() => import("#/features/projects/create-project.tsx"));
const ImportProject = later(() => import("#/features/projects/import-project.tsx"));

export function ProjectsPage(): ReactElement {
  const projects = useProjects();
  const [search, setSearch] = useState("");
  const [creating, create] = useDisclosure(false);
  const [importing, bring] = useDisclosure(false);
  const may = useMay("manage");
  const found = (projects.data ?? []).filter((each) => each.name.toLowerCase().includes(search.trim().toLowerCase()));
  const buttons = may && (
    <>
      <Button leftSection={<Icon name="add" />} onClick={create.open}>
        {text.projects.new}
      </Button>
      <Button variant="default" leftSection={<Icon name="download" />} onClick={bring.open}>
        {text.projects.import}
      </Button>
    </>
  );
  return (
    <Shell>
      <div className={classes.page}>
        <Group justify="space-between" mb="md">
          <Title order={1} size="h2">
            {text.projects.title}
          </Title>
          {projects.data?.length ? (
            <Group>
              <TextInput
                type="search"
                placeholder={text.projects.search}
                aria-label={text.projects.search}
                value={search}
                onChange={(event) => setSearch(event.currentTarget.value)}
              />
              {buttons}
            </Group>
          ) : null}
        </Group>
        {projects.isPending && <Loading />}
        {projects.isError && <Failure error={projects.error} retry={() => void projects.refetch()} />}
        {projects.data?.length === 0 && (
          <Empty icon="images" title={text.projects.none} action={buttons}>
            {text.projects.teach}
          </Empty>
        )}
        {projects.data?.length && !found.length ? <Text>{text.projects.noMatch(search)}</Text> : null}
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3, lg: 4 }} component="ul" className={classes.cards}>
          {found.map((project) => (
            <li key={project.id}>
              <ProjectCard project={project} />
            </li>
          ))}
        </SimpleGrid>
      </div>
      {creating && <CreateProject onClose={create.close} />}
      {importing && <ImportProject onClose={bring.close} />}
    </Shell>
  );
}

function ProjectCard({ project }: { project: Project }): ReactElement {
  const domain = useDomains().data?.find((each) => each.id === project.settings.domainId);
  return (
    <Card
      component={Link}
      href={paths.images(project.id)}
      withBorder
      padding="sm"
      className={classes.card}
    >
      <Card.Section className={classes.thumbnail}>
        {project.thumbnailUri ? (
          <img className="picture" src={near(project.thumbnailUri)} alt="" loading="lazy" />
        ) : (
          <Icon name="images" size={40} />
        )}
      </Card.Section>
      <Text fw={600} mt="sm" truncate title={project.name}>
        {project.name}
      </Text>
      <Text size="sm" c="var(--quiet)" truncate>
        {described(project, domain)}
      </Text>
      <Group justify="space-between" mt={4}>
        <Text size="xs" c="var(--quiet)">
          {text.projects.changed(ago(project.lastModified))}
        </Text>
        <State status={project.status} />
      </Group>
    </Card>
  );
}

function described(project: Project, domain: Domain | undefined): string {
  const kind = project.settings.classificationType;
  return [domain && text.projects.type[domain.type], kind && text.projects.kind[kind], domain?.name]
    .filter(Boolean)
    .join(" · ");
}

function State({ status }: { status: string }): ReactElement | null {
  if (status === "Importing") return <Badge variant="light">{text.projects.importing}</Badge>;
  if (status === "Failed") return <Badge color="red.9">{text.projects.importFailed}</Badge>;
  return null;
}
