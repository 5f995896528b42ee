/** The last action and how to take it back: by the button of its message, or Ctrl + Z. */
import { Button, Group, Text } from "@mantine/core";

import { takeAway, tell } from "#/app/messages.tsx";
import { text } from "#/text/index.ts";
import { Icon } from "#/ui/icons.tsx";

const STAYS_MS = 12_000;

let shown = "";
let last: (() => Promise<unknown> | void) | null = null;
let waiting: { timer: number; act: () => Promise<unknown> } | null = null;

/** Act after a while, in which it can be prevented: for what cannot be undone. Leaving the page acts at once. */
export function soon(what: string, act: () => Promise<unknown>, prevented: () => void): void {
  done(what, () => {
    if (waiting) clearTimeout(waiting.timer);
    waiting = null;
    prevented();
  });
  waiting = { timer: window.setTimeout(actNow, STAYS_MS), act };
}

function actNow(): void {
  if (!waiting) return;
  const { timer, act } = waiting;
  clearTimeout(timer);
  waiting = null;
  last = null;
  takeAway(shown);
  act().catch(failed);
}

addEventListener("pagehide", actNow);

/** Say what was done, and keep how to undo it until something else is done. */
export function done(what: string, undo?: () => Promise<unknown> | void): void {
  actNow();
  takeAway(shown);
  last = undo ?? null;
  shown = tell({
    withCloseButton: true,
    autoClose: undo ? STAYS_MS : 4000,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{what}</Text>
        {undo && (
          <Button size="compact-sm" variant="light" leftSection={<Icon name="undo" size={14} />} onClick={undoLast}>
            {text.common.undo}
          </Button>
        )}
      </Group>
    ),
  });
}

/** Take the last action back, if there is one that can be. */
export async function undoLast(): Promise<void> {
  const undo = last;
  if (!undo) return;
  last = null;
  takeAway(shown);
  try {
    await undo();
    done(text.common.undone);
  } catch (error) {
    failed(error);
  }
}

/** Say that something failed, in the server's words. */
export function failed(error: unknown): void {
  tell({
    color: "red",
    title: text.common.failed,
    message: error instanceof Error ? error.message : String(error),
    autoClose: 10_000,
  });
}
