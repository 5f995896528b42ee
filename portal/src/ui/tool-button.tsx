/** A button of a toolbar that shows only its sign; it is disabled while there is nothing for it to do. */
import { ActionIcon } from "@mantine/core";
import type { ReactElement } from "react";

import { named } from "#/ui/hints.tsx";
import { Icon, type IconName } from "#/ui/icons.tsx";

export function ToolButton(props: { label: string; icon: IconName; act: (() => void) | undefined }): ReactElement {
  return (
    <ActionIcon size="lg" {...named(props.label)} disabled={!props.act} onClick={props.act}>
      <Icon name={props.icon} />
    </ActionIcon>
  );
}
