/** A question before something that cannot be undone. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { text } from "#/text/index.ts";
import { Failure } from "#/ui/feedback.tsx";

interface Props {
  opened: boolean;
  title: string;
  children?: ReactNode;
  action: string;
  busy?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm(props: Props): ReactElement {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={props.title}>
      <Stack>
        <Text component="div" size="sm">
          {props.children}
        </Text>
        {props.error ? <Failure error={props.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            {text.common.cancel}
          </Button>
          <Button color="red.9" loading={props.busy ?? false} onClick={props.onConfirm}>
            {props.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
