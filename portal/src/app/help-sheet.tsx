/** The list of keys, by page. */
import { Kbd, Modal, Table, Title } from "@mantine/core";
import { Fragment, type ReactElement } from "react";

import { text } from "#/text/index.ts";

export default function HelpSheet({ onClose }: { onClose: () => void }): ReactElement {
  const { anywhere, rows, title } = text.common.keys;
  const groups: [string, readonly (readonly [string, string])[]][] = [[anywhere, rows], ...OF_PAGES];
  return (
    <Modal opened onClose={onClose} title={title} size="lg">
      {groups.map(([name, keys]) => (
        <Fragment key={name}>
          <Title order={3} size="h5" mt="sm">
            {name}
          </Title>
          <Table>
            <Table.Tbody>
              {keys.map(([combination, what]) => (
                <Table.Tr key={combination}>
                  <Table.Td w={190}>
                    {combination.split(" + ").map((key, at) => (
                      <Fragment key={key}>
                        {at > 0 && " + "}
                        <Kbd>{key}</Kbd>
                      </Fragment>
                    ))}
                  </Table.Td>
                  <Table.Td>{what}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Fragment>
      ))}
    </Modal>
  );
}

/** The keys of pages, each from the texts of its feature. */
const OF_PAGES: [string, readonly (readonly [string, string])[]][] = [
  [text.common.nav.images, text.images.keys],
  [text.editor.title, text.editor.keys],
  [text.common.nav.label, text.labelling.keys],
  [text.common.nav.predictions, text.predictions.keys],
];
