/** The button that opens the exports of an iteration. */
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactElement } from "react";

import type { Iteration } from "#/api/types.ts";
import { ExportDialog } from "#/features/exports/export-dialog.tsx";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";

export default function ExportButton({ project, iteration }: { project: string; iteration: Iteration }): ReactElement {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" leftSection={<Icon name="download" size={16} />} onClick={open}>
        {text.exports.button}
      </Button>
      <ExportDialog opened={opened} onClose={close} project={project} iteration={iteration} />
    </>
  );
}
