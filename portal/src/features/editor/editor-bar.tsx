/** The bar above the picture: back to all images, from image to image, and what the editor adds. */
import { Anchor, Button, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { Link } from "wouter";

import type { EditorProps } from "#/features/editor/editor-page.tsx";
import type { SaveState } from "#/features/editor/saver.ts";
import { count } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";
import { ToolButton } from "#/ui/tool-button.tsx";
import { useKeys } from "#/ui/use-keys.ts";
import layout from "#/ui/one-picture.module.css";

import classes from "./editor.module.css";

const words = text.editor;

interface Props extends Pick<EditorProps, "neighbours" | "placeOf" | "grid"> {
  leave: (to: string) => void;
  state: SaveState;
  retry: () => void;
  children?: ReactNode;
}

export function EditorBar({ neighbours, placeOf, grid, leave, state, retry, children }: Props): ReactElement {
  const { before, after, position, total } = neighbours;
  const toBefore = before ? () => leave(placeOf(before)) : undefined;
  const toAfter = after ? () => leave(placeOf(after)) : undefined;
  useKeys({ pageup: toBefore, pagedown: toAfter, arrowleft: toBefore, arrowright: toAfter });
  return (
    <div className={layout.bar} role="toolbar" aria-label={words.tools}>
      <Anchor component={Link} href={grid} size="sm" c="inherit">
        {words.back}
      </Anchor>
      <ToolButton label={words.before} icon="arrowLeft" act={toBefore} />
      <Text size="sm" c="var(--quiet)" miw={70} ta="center">
        {position && total ? words.position(count(position), count(total)) : ""}
      </Text>
      <ToolButton label={words.after} icon="arrowRight" act={toAfter} />
      {children}
      <span className={layout.spacer} />
      <Saved state={state} retry={retry} />
    </div>
  );
}

function Saved({ state, retry }: { state: SaveState; retry: () => void }): ReactElement {
  if (state.kind === "failed") {
    const why = state.error instanceof Error ? state.error.message : String(state.error);
    return (
      <span role="alert" className={classes.state}>
        <Icon name="warning" size={16} style={{ color: "var(--mantine-color-error)" }} />
        {words.notSaved(why)}
        <Button size="compact-sm" variant="default" onClick={retry}>
          {text.common.retry}
        </Button>
      </span>
    );
  }
  return (
    <span role="status" className={classes.state}>
      {state.kind === "saved" && <Icon name="check" size={16} />}
      {state.kind === "saved" ? words.saved : words.saving}
    </span>
  );
}
