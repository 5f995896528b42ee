/** Short messages in a corner of the page; what shows them is loaded with the first one. */
import type { NotificationData } from "@mantine/notifications";
import { lazy, type ReactElement, Suspense } from "react";

import { text } from "#/text/index.ts";

const first = Promise.withResolvers<void>();
const Corner = lazy(() => first.promise.then(() => import("#/app/corner.tsx")));
let told = 0;
let library: Promise<typeof import("@mantine/notifications")> | undefined;

export function Messages(): ReactElement {
  return (
    <Suspense>
      <Corner />
    </Suspense>
  );
}

/** Show a message; the id by which it is taken away is its own: a new one never continues one that is leaving. */
export function tell(message: NotificationData): string {
  const id = `message-${(told += 1)}`;
  first.resolve();
  library ??= import("@mantine/notifications");
  void library.then(({ notifications }) => {
    notifications.show({ closeButtonProps: { "aria-label": text.common.close }, ...message, id });
  });
  return id;
}

export function takeAway(id: string): void {
  void library?.then(({ notifications }) => notifications.hide(id));
}
