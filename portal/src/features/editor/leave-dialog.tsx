/** The question to somebody who leaves a picture whose changes could not be saved. */
import type { ReactElement } from "react";

import type { Leaving } from "#/features/editor/use-leaving.ts";
import { text } from "#/text/index.ts";
import { Confirm } from "#/ui/confirm.tsx";

export function LeaveDialog({ leaving }: { leaving: Leaving }): ReactElement {
  return (
    <Confirm
      opened={leaving.asks !== null}
      title={text.editor.leave.title}
      action={text.editor.leave.action}
      onConfirm={leaving.leaveAnyway}
      onClose={leaving.stay}
    >
      {text.editor.leave.hint}
    </Confirm>
  );
}
