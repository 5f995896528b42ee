/** All formats by what they are for, and what has been exported. */
import { Accordion, Badge, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";

import { useFormats } from "#/api/projects.ts";
import type { ExportFormat, Iteration, OwnExport } from "#/api/types.ts";
import { DONE, useExports } from "#/features/exports/api.ts";
import { FormatRow } from "#/features/exports/format-row.tsx";
import { grouped, type Group as Purpose, same } from "#/lib/formats.ts";
import { text } from "#/text/index.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";

const words = text.exports;

interface Props {
  project: string;
  iteration: Iteration;
}

export function ExportDialog({ opened, onClose, ...of }: Props & { opened: boolean; onClose: () => void }): ReactElement {
  return (
    <Modal opened={opened} onClose={onClose} title={words.title(of.iteration.name)} size="xl">
      <Formats {...of} />
    </Modal>
  );
}

function Formats({ project, iteration }: Props): ReactElement {
  const formats = useFormats();
  const exports = useExports(project, iteration.id);
  const error = formats.error ?? exports.error;
  if (error) return <Failure error={error} />;
  if (!formats.data || !exports.data) return <Loading />;
  const groups = grouped(formats.data);
  const made = exports.data;
  const begun = groups.filter(([, members]) => members.some((format) => made.some((each) => same(each, format))));
  return (
    <Stack>
      <Text size="sm">{words.why}</Text>
      <Accordion multiple variant="separated" defaultValue={begun.map(([group]) => group)} order={3}>
        {groups.map(([group, members]) => (
          <Section key={group} group={group} formats={members} exports={made} project={project} iteration={iteration} />
        ))}
      </Accordion>
    </Stack>
  );
}

interface SectionProps extends Props {
  group: Purpose;
  formats: ExportFormat[];
  exports: OwnExport[];
}

function Section({ group, formats, exports, project, iteration }: SectionProps): ReactElement {
  const [title, hint] = words.groups[group] ?? [group, ""];
  const done = exports.filter((each) => each.status === DONE && formats.some((format) => same(each, format))).length;
  return (
    <Accordion.Item value={group}>
      <Accordion.Control>
        <Group justify="space-between" wrap="nowrap" pr="xs">
          <div>
            <Text fw={600} size="sm">
              {title}
            </Text>
            <Text size="xs" c="var(--quiet)">
              {hint}
            </Text>
          </div>
          {done > 0 && (
            <Badge size="sm" variant="default" tt="none">
              {words.done(done)}
            </Badge>
          )}
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: "none" }}>
          {formats.map((format) => (
            <li key={format.name}>
              <FormatRow
                format={format}
                made={exports.find((each) => same(each, format))}
                project={project}
                iteration={iteration.id}
              />
            </li>
          ))}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}
