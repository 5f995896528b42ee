/** The dialog that makes training images of several predictions. */
import { Button, Group, Modal, MultiSelect, Radio, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";

import type { ImageIdCreateEntry, StoredImagePrediction, Tag } from "#/api/types.ts";
import { believed } from "#/features/predictions/said.ts";
import { text } from "#/text/index.ts";
import { Failure } from "#/ui/feedback.tsx";
import { Select } from "#/ui/select.tsx";

const words = text.predictions.bulk;

interface Props {
  opened: boolean;
  rows: readonly StoredImagePrediction[];
  tags: readonly Tag[];
  detects: boolean;
  single: boolean;
  save: (entries: readonly ImageIdCreateEntry[]) => Promise<void>;
  onClose: () => void;
}

export function SaveDialog(props: Props): ReactElement {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={words.title(props.rows.length)}>
      <Form {...props} />
    </Modal>
  );
}

function Form({ rows, tags, detects, single, save, onClose }: Props): ReactElement {
  const choices = detects ? words.boxes : words.tags;
  const [how, setHow] = useState(detects ? "said" : "chosen");
  const [chosen, setChosen] = useState<string[]>([]);
  const data = tags.map((tag) => ({ value: tag.id, label: tag.name }));
  const mutation = useMutation({
    mutationFn: () => {
      const known = new Set(tags.map((tag) => tag.id));
      const entry = (row: StoredImagePrediction): ImageIdCreateEntry =>
        how === "said" ? believed(row, detects, known) : { id: row.id, tagIds: how === "chosen" ? chosen : [] };
      return save(rows.map(entry));
    },
    onSuccess: onClose,
  });
  return (
    <Stack>
      <Radio.Group label={words.how} value={how} onChange={setHow}>
        <Stack gap="sm" mt="xs">
          {choices.map(([value, label, hint]) => (
            <Radio key={value} value={value} label={label} description={hint} />
          ))}
        </Stack>
      </Radio.Group>
      {how === "chosen" &&
        (single ? (
          <Select
            label={text.canvas.tags}
            data={[{ value: "", label: text.common.none }, ...data]}
            value={chosen[0] ?? ""}
            onChange={(id) => setChosen(id ? [id] : [])}
          />
        ) : (
          <MultiSelect label={text.canvas.tags} data={data} value={chosen} onChange={setChosen} searchable />
        ))}
      {mutation.error && <Failure error={mutation.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {text.common.cancel}
        </Button>
        <Button
          disabled={how === "chosen" && chosen.length === 0}
          loading={mutation.isPending}
          onClick={() => mutation.mutate()}
        >
          {text.predictions.save}
        </Button>
      </Group>
    </Stack>
  );
}
