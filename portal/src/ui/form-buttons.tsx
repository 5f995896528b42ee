/** The end of a form: what went wrong, the way out, and the button that sends it. */
import { Button, Group } from "@mantine/core";
import type { ReactElement } from "react";

import { text } from "#/text/index.ts";
import { Failure } from "#/ui/feedback.tsx";

interface Props {
  action: string;
  busy: boolean;
  error: unknown;
  onClose: () => void;
}

export function FormButtons({ action, busy, error, onClose }: Props): ReactElement {
  return (
    <>
      {error ? <Failure error={error} /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {text.common.cancel}
        </Button>
        <Button type="submit" loading={busy}>
          {action}
        </Button>
      </Group>
    </>
  );
}
