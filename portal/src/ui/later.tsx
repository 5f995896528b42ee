/** Parts of a page that are loaded when they are first shown, such as dialogs. */
import { type ComponentType, lazy, type ReactElement, Suspense } from "react";

export function later<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>): ComponentType<Props> {
  const Part: ComponentType<Props> = lazy(load);
  return function Later(props: Props): ReactElement {
    return (
      <Suspense>
        <Part {...props} />
      </Suspense>
    );
  };
}
