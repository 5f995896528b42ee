/** Finds a tag by typing, or makes one: the first match is chosen with Enter. */
import { Combobox, InputBase, useCombobox } from "@mantine/core";
import { type ReactElement, useEffect, useState } from "react";

import type { Tag } from "#/api/types.ts";
import { text } from "#/text/index.ts";

interface Props {
  tags: readonly Tag[];
  onPick: (tag: Tag) => void;
  onCreate?: ((name: string) => void) | undefined;
  label: string;
  autoFocus?: boolean;
}

const NEW = "new tag";

export default function TagPicker({ tags, onPick, onCreate, label, autoFocus = false }: Props): ReactElement {
  const [search, setSearch] = useState("");
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const typed = search.trim();
  const found = tags.filter((tag) => tag.name.toLowerCase().includes(typed.toLowerCase()));
  const exact = tags.some((tag) => tag.name.toLowerCase() === typed.toLowerCase());
  const { selectFirstOption } = combobox;
  useEffect(() => {
    if (typed) selectFirstOption();
  }, [typed, selectFirstOption]);
  const submit = (value: string): void => {
    const tag = tags.find((each) => each.id === value);
    if (tag) onPick(tag);
    else onCreate?.(typed);
    setSearch("");
    combobox.closeDropdown();
  };
  return (
    <Combobox store={combobox} onOptionSubmit={submit} withinPortal>
      <Combobox.Target>
        <InputBase
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
            combobox.openDropdown();
          }}
          onFocus={() => combobox.openDropdown()}
          onClick={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
          placeholder={text.images.tagPlaceholder}
          aria-label={label}
          maxLength={128}
          autoFocus={autoFocus}
          size="xs"
          miw={190}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah={280} style={{ overflowY: "auto" }} aria-label={label}>
          {found.map((tag) => (
            <Combobox.Option value={tag.id} key={tag.id}>
              {tag.name}
            </Combobox.Option>
          ))}
          {onCreate && typed && !exact && <Combobox.Option value={NEW}>{text.images.createTag(typed)}</Combobox.Option>}
          {!found.length && !(onCreate && typed) && <Combobox.Empty>{text.common.none}</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
