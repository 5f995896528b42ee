/** One of a few things to choose from, in the list that the browser itself shows: at home on phones and with keys. */
import { NativeSelect, type NativeSelectProps } from "@mantine/core";
import type { ReactElement } from "react";

interface Props extends Omit<NativeSelectProps, "data" | "value" | "onChange"> {
  data: readonly { value: string; label: string }[];
  value: string;
  onChange: (value: string) => void;
}

export function Select({ data, onChange, ...others }: Props): ReactElement {
  return <NativeSelect data={[...data]} onChange={(event) => onChange(event.currentTarget.value)} {...others} />;
}
