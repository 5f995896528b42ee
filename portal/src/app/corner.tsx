/** The corner in which messages are shown. */
import "@mantine/notifications/styles.css";

import { Notifications } from "@mantine/notifications";
import type { ReactElement } from "react";

export default function Corner(): ReactElement {
  return <Notifications position="bottom-right" limit={3} />;
}
