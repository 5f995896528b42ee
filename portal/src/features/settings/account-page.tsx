/** The server, its keys and its resources. */
import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";

import { useProjects } from "#/api/projects.ts";
import { useResources, useServerKeys } from "#/api/server.ts";
import { useServer } from "#/app/session.tsx";
import { Shell } from "#/app/shell.tsx";
import { text } from "#/text/index.ts";
import { CopyField, CopyIcon } from "#/ui/copy-field.tsx";
import { Failure } from "#/ui/feedback.tsx";
import { Meter } from "#/ui/meter.tsx";
import { Section } from "#/ui/section.tsx";

import classes from "./settings.module.css";

const words = text.settings.account;

export default function AccountPage(): ReactElement {
  const server = useServer();
  const keys = useServerKeys().data;
  const projects = useProjects().data;
  return (
    <Shell>
      <Stack className={classes.page}>
        <Title order={1} size="h2">
          {words.title}
        </Title>
        <Section title={words.server}>
          <Text>{words.version(server.version)}</Text>
          <Text>{words.role(server.role, server.resource ?? words.ofServer)}</Text>
          <CopyField label={text.settings.endpoint} value={server.endpoint} />
          <CopyField label={words.region} value={server.region} />
          <Meter what={text.settings.projects} used={projects?.length} most={server.limits.projects} />
          {server.limits.monthlyPredictions !== null && (
            <Meter what={text.settings.predictions} used={server.predictionsThisMonth} most={server.limits.monthlyPredictions} />
          )}
          <Anchor href="third-party-licenses.md" target="_blank" size="sm">
            {words.licences}
          </Anchor>
        </Section>
        {keys && (
          <Section title={words.keys} why={words.keysWhy}>
            <CopyField label={text.settings.trainingKey} value={keys.trainingKey} secret />
            <CopyField label={text.settings.predictionKey} value={keys.predictionKey} secret />
          </Section>
        )}
        <Resources />
      </Stack>
    </Shell>
  );
}

function Resources(): ReactElement {
  const resources = useResources();
  return (
    <Section title={words.resources}>
      {resources.isError && <Failure error={resources.error} retry={() => void resources.refetch()} />}
      {resources.data?.length === 0 && <Text>{words.noResources}</Text>}
      {resources.data?.length ? (
        <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                {[words.resourceName, words.kind, words.region, words.holds, words.resourceKeys, words.resourceId].map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {resources.data.map((each) => (
                <Table.Tr key={each.name}>
                  <Table.Td>{each.name}</Table.Td>
                  <Table.Td>{each.kind}</Table.Td>
                  <Table.Td>{each.region}</Table.Td>
                  <Table.Td>
                    {each.projects} / {each.published}
                  </Table.Td>
                  <Table.Td>
                    {each.keys.map((key) => (
                      <div key={key.label}>{words.key(key.label, key.role, key.ending)}</div>
                    ))}
                  </Table.Td>
                  <Table.Td>
                    <CopyIcon value={each.resourceId} label={text.common.copy(words.resourceId)} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : null}
    </Section>
  );
}
