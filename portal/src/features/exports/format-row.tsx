/** One format: what it is good for, and its export with the proof, the file or the reason of a failure. */
import { ActionIcon, Alert, Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { near } from "#/api/client.ts";
import type { ExportFormat, OwnExport } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";
import { done, failed } from "#/app/undo.tsx";
import { deleteExport, DONE, EXPORTING, exportsKey, startExport } from "#/features/exports/api.ts";
import { bytes, percent } from "#/lib/format.ts";
import { certificate, tiny } from "#/lib/formats.ts";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";

const words = text.exports;

interface Props {
  format: ExportFormat;
  made: OwnExport | undefined;
  project: string;
  iteration: string;
}

export function FormatRow(props: Props): ReactElement {
  const { format, made } = props;
  const [name, hint] = words.formats[format.name] ?? [format.name, words.runs(format.runtime)];
  return (
    <Stack gap={6}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Text size="sm" fw={600}>
            {name}
          </Text>
          <Text size="xs" c="var(--quiet)">
            {hint} {format.extra && made?.status !== DONE && words.needs(format.extra)}
            {made?.sizeBytes && bytes(made.sizeBytes)}
          </Text>
        </div>
        <Actions {...props} name={name} />
      </Group>
      {made?.status === DONE && <Proof made={made} />}
      {made?.errorDetails && (
        <Alert color="red" title={words.failed} p="xs">
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {made.errorDetails}
          </Text>
        </Alert>
      )}
    </Stack>
  );
}

function Actions({ format, made, project, iteration, name }: Props & { name: string }): ReactElement {
  const client = useQueryClient();
  const may = useMay("publish");
  const read = (): Promise<void> => client.invalidateQueries({ queryKey: exportsKey(iteration) });
  const start = useMutation({ mutationFn: () => startExport(project, iteration, format), onError: failed, onSettled: read });
  const remove = useMutation({
    mutationFn: () => deleteExport(project, iteration, format),
    onError: failed,
    onSuccess: async () => {
      await read();
      done(words.deleted(name));
    },
  });
  if (made?.status === EXPORTING) {
    return (
      <Group gap="xs" wrap="nowrap" role="status">
        <Loader size="xs" />
        <Text size="sm">{words.running}</Text>
      </Group>
    );
  }
  return (
    <Group gap={6} wrap="nowrap" justify="flex-end">
      {made?.downloadUri && (
        <Button
          component="a"
          href={near(made.downloadUri)}
          download={`${format.name}.zip`}
          size="compact-sm"
          leftSection={<Icon name="download" size={16} />}
          aria-label={words.downloadOf(name)}
        >
          {words.download}
        </Button>
      )}
      {may && (!made || made.status !== DONE || made.newerVersionAvailable) && (
        <Button
          size="compact-sm"
          variant="default"
          loading={start.isPending}
          onClick={() => start.mutate()}
          aria-label={made && made.status !== DONE ? words.againOf(name) : words.startOf(name)}
        >
          {!made ? words.start : made.status === DONE ? words.renew : words.again}
        </Button>
      )}
      {may && made && (
        <ActionIcon onClick={() => remove.mutate()} loading={remove.isPending} aria-label={words.deleteOf(name)}>
          <Icon name="trash" size={16} />
        </ActionIcon>
      )}
    </Group>
  );
}

function Proof({ made }: { made: OwnExport }): ReactElement | null {
  const told = certificate(made.parity);
  if (!told) return null;
  const largest = tiny(told.largest);
  return (
    <Group gap={6} wrap="nowrap" align="flex-start" c="var(--quiet)">
      <Icon name="check" size={16} />
      <Text size="xs">
        {words.same(percent(told.agreement, 0), told.photos)}{" "}
        {told.byAgreement ? words.differenceAlone(largest) : words.difference(largest, String(told.tolerance))}{" "}
        {told.milliseconds && words.speed(told.milliseconds.toPrecision(2))} {made.newerVersionAvailable && words.newer}
      </Text>
    </Group>
  );
}
