/** How programs ask a published iteration: address, headers, key, and code to copy. */
import { Alert, Group, Modal, SegmentedControl, Stack, Tabs } from "@mantine/core";
import { type ReactElement, useState } from "react";

import { useResources, useServerKeys } from "#/api/server.ts";
import type { Iteration, OwnResource } from "#/api/types.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { useServer } from "#/app/session.tsx";
import { address, curl, javascript, KEY_HEADER, python, type Target } from "#/lib/snippets.ts";
import { text } from "#/text/index.ts";
import { CopyField, CopyIcon } from "#/ui/copy-field.tsx";

import classes from "./performance.module.css";

const words = text.performance.url;
const WRITERS = { curl, python, javascript } as const;
type Language = keyof typeof WRITERS;
const LANGUAGES = Object.keys(WRITERS) as Language[];

interface Props extends PageProps {
  iteration: Iteration;
  name: string;
  opened: boolean;
  onClose: () => void;
}

export function PredictionUrl({ project, iteration, name, opened, onClose }: Props): ReactElement {
  return (
    <Modal opened={opened} onClose={onClose} title={words.title} size="xl">
      <Ways project={project} iteration={iteration} name={name} />
    </Modal>
  );
}

function Ways({ project, iteration, name }: Pick<Props, "project" | "iteration" | "name">): ReactElement {
  const [sent, setSent] = useState("file");
  const server = useServer();
  const resources = useResources().data;
  const published = iteration.originalPublishResourceId ?? "";
  const opened = resources !== undefined && !resources.some((each) => names(published, each));
  const all = useServerKeys().data;
  const keys = opened ? all : undefined;
  const target: Target = {
    endpoint: server.endpoint,
    project: project.id,
    name,
    key: keys?.predictionKey ?? words.placeholder,
    detection: !project.settings.classificationType,
    byUrl: sent === "url",
  };
  return (
    <Stack>
      <SegmentedControl
        aria-label={words.how}
        data={[
          { value: "file", label: words.byFile },
          { value: "url", label: words.byUrl },
        ]}
        value={sent}
        onChange={setSent}
      />
      <CopyField label={words.address} value={address(target)} />
      <CopyField label={words.header} value={KEY_HEADER} />
      <CopyField
        label={words.contentType}
        value={`Content-Type: ${target.byUrl ? "application/json" : "application/octet-stream"}`}
      />
      {keys ? (
        <CopyField label={words.key} value={keys.predictionKey} description={words.secret} secret />
      ) : (
        <Alert>{words.keyOfResource}</Alert>
      )}
      <Code target={target} />
    </Stack>
  );
}

/** Whether a text names the resource in one of the ways that the server reads. */
const names = (text: string, { resourceId, name }: OwnResource): boolean =>
  [resourceId, name].includes(text) || text.endsWith(`/accounts/${name}`);

function Code({ target }: { target: Target }): ReactElement {
  return (
    <Tabs defaultValue={LANGUAGES[0] ?? null} keepMounted={false}>
      <Tabs.List aria-label={words.code}>
        {LANGUAGES.map((each) => (
          <Tabs.Tab key={each} value={each}>
            {words.languages[each]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {LANGUAGES.map((each) => {
        const label = words.codeOf(words.languages[each]);
        const code = WRITERS[each](target);
        return (
          <Tabs.Panel key={each} value={each} pt="sm">
            <Group wrap="nowrap" align="flex-start" gap="xs">
              <pre className={classes.code} tabIndex={0} aria-label={label}>
                {code}
              </pre>
              <CopyIcon value={code} label={text.common.copy(label)} />
            </Group>
          </Tabs.Panel>
        );
      })}
    </Tabs>
  );
}
