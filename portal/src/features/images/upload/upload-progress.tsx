/** How far an upload is, and what became of its files. */
import { Alert, Badge, Button, Group, Progress, Stack, Table, Text } from "@mantine/core";
import type { ReactElement } from "react";

import { again, forget, type Item, stop, type Upload } from "#/features/images/upload/uploads.ts";
import { useArrived } from "#/features/images/upload/use-upload.ts";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

const words = text.images.upload;
const MOST_LISTED = 200;

export function UploadProgress({ upload, onClose }: { upload: Upload; onClose: () => void }): ReactElement {
  const arrived = useArrived(upload.project);
  const { items, running } = upload;
  const of = (fate: Item["fate"]): Item[] => items.filter((item) => item.fate === fate);
  const [added, duplicates, refused, failed] = [of("added"), of("duplicate"), of("refused"), of("failed")];
  const ended = added.length + duplicates.length + refused.length + failed.length;
  const shrunk = items.filter((item) => item.shrunk).length;
  const told = [...refused, ...failed, ...duplicates];
  return (
    <Stack>
      <Group justify="space-between">
        <Text fw={600} role="status">
          {running ? words.running : upload.stopped ? words.stopped : words.finished}
        </Text>
        <Text size="sm">{words.progress(count(ended), count(items.length))}</Text>
      </Group>
      <Progress value={(ended / items.length) * 100} animated={running} aria-label={words.running} />
      <Group gap="xs">
        <Badge variant="light">{words.added(count(added.length))}</Badge>
        {duplicates.length > 0 && <Badge color="gray.8">{words.duplicates(count(duplicates.length))}</Badge>}
        {refused.length > 0 && <Badge color="red.9">{words.refused(count(refused.length))}</Badge>}
        {failed.length > 0 && <Badge color="red.9">{words.failed(count(failed.length))}</Badge>}
      </Group>
      {shrunk > 0 && <Alert variant="light">{words.shrunk(count(shrunk))}</Alert>}
      {told.length > 0 && (
        <Table.ScrollContainer minWidth={300} maxHeight={280} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table>
            <Table.Tbody>
              {told.slice(0, MOST_LISTED).map((item, at) => (
                <Table.Tr key={`${at} ${item.file.name}`}>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>{item.file.name}</Table.Td>
                  <Table.Td>{words.why[item.why] ?? item.why}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Group justify="flex-end">
        {running ? (
          <>
            <Button variant="default" onClick={() => stop(upload.project)}>
              {words.cancel}
            </Button>
            <Button onClick={onClose}>{words.hide}</Button>
          </>
        ) : (
          <>
            {failed.length > 0 && (
              <Button variant="default" onClick={() => again(upload.project, arrived)}>
                {words.again(failed.length)}
              </Button>
            )}
            <Button
              onClick={() => {
                onClose();
                forget(upload.project);
              }}
            >
              {words.close}
            </Button>
          </>
        )}
      </Group>
    </Stack>
  );
}
