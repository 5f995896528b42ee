/** A button with a menu behind it, which is loaded when it is first opened. */
import { cloneElement, lazy, type ReactElement, type Ref, Suspense, useState } from "react";

import type { IconName } from "#/ui/icons.tsx";

export interface Item {
  label: string;
  /** What it means, in small. */
  hint?: string | undefined;
  icon?: IconName;
  /** Where it leads; or what it does. */
  to?: string;
  act?: () => void;
}

interface ButtonProps {
  ref?: Ref<HTMLButtonElement>;
  onClick?: () => void;
  "aria-haspopup"?: "menu";
  "aria-expanded"?: boolean;
}

export interface MenuProps {
  button: ReactElement<ButtonProps>;
  title?: string;
  /** Groups of items, with a line between them. */
  items: readonly (readonly Item[])[];
}

const OpenMenu = lazy(() => import("#/ui/open-menu.tsx"));

export function Menu(props: MenuProps): ReactElement {
  const [wanted, setWanted] = useState(false);
  const button = cloneElement(props.button, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setWanted(true),
  });
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <OpenMenu {...props} />
    </Suspense>
  );
}
