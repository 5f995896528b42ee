/** A field in which a tag is chosen or made without leaving the keyboard. */
import { Kbd, Loader, TextInput } from "@mantine/core";
import { type KeyboardEvent, type ReactElement, useId, useState } from "react";

import { text } from "#/text/index.ts";
import { lookOf, type Named } from "#/ui/canvas/looks.ts";
import type { Looks } from "#/ui/canvas/types.ts";

import classes from "./tags.module.css";

interface Props {
  label: string;
  tags: readonly Named[];
  looks: Looks;
  /** What Enter chooses when nothing was typed. */
  value?: string;
  onChoose: (tagId: string) => void;
  /** Make a tag and choose it; gives whether it was made. Without it, none is made. */
  onCreate?: (name: string) => Promise<boolean>;
  /** When the list shows: always; while something is typed, as all tags stand elsewhere; while one is in the field. */
  list?: "always" | "typed" | "floating";
  size?: "xs" | "sm";
}

const MOST_SHOWN = 60;

export function TagField(props: Props): ReactElement {
  const { label, tags, looks, value = "", onChoose, onCreate, list: mode = "always", size = "sm" } = props;
  const [focused, setFocused] = useState(false);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const list = useId();
  const wanted = typed.trim();
  const found = tags.filter((tag) => tag.name.toLowerCase().includes(wanted.toLowerCase())).slice(0, MOST_SHOWN);
  const creates = onCreate && wanted !== "" && !tags.some((tag) => tag.name.toLowerCase() === wanted.toLowerCase());
  const first = wanted ? 0 : Math.max(0, found.findIndex((tag) => tag.id === value));
  const rows = found.length + (creates ? 1 : 0);
  const chosen = Math.min(at ?? first, rows - 1);
  const shown = rows > 0 && { always: true, typed: wanted !== "", floating: focused }[mode];

  const take = async (row: number): Promise<void> => {
    const tag = found[row];
    if (tag) onChoose(tag.id);
    else if (creates) {
      setBusy(true);
      const fine = await onCreate(wanted);
      setBusy(false);
      if (!fine) return;
    } else return;
    setTyped("");
    setAt(null);
  };

  const pressed = (event: KeyboardEvent<HTMLInputElement>): void => {
    const digit = typed === "" && /^[1-9]$/.test(event.key) ? tags[Number(event.key) - 1] : undefined;
    if (digit && !tags.some((tag) => tag.name.startsWith(event.key))) onChoose(digit.id);
    else if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, rows));
    else if (event.key === "ArrowUp") setAt((chosen - 1 + rows) % Math.max(1, rows));
    else if (event.key === "Enter") void take(chosen);
    else return;
    event.preventDefault();
  };

  return (
    <div
      className={classes.field}
      data-floating={mode === "floating" || undefined}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      <TextInput
        size={size}
        placeholder={label}
        aria-label={label}
        role="combobox"
        aria-expanded={shown}
        aria-controls={list}
        aria-activedescendant={shown ? `${list}-${chosen}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        maxLength={128}
        data-autofocus={mode === "always" || undefined}
        value={typed}
        disabled={busy}
        rightSection={busy ? <Loader size={14} /> : null}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(null);
        }}
        onKeyDown={pressed}
      />
      <ul id={list} role="listbox" aria-label={label} className={classes.options} hidden={!shown}>
        {found.map((tag, row) => (
          <li
            key={tag.id}
            id={`${list}-${row}`}
            role="option"
            aria-selected={row === chosen}
            className={classes.option}
            onPointerDown={(event) => {
              event.preventDefault();
              void take(row);
            }}
          >
            <Swatch colour={lookOf(looks, tag.id).colour.fill} />
            <span className={classes.name}>{tag.name}</span>
            <Digit number={tags.indexOf(tag) + 1} />
          </li>
        ))}
        {creates && (
          <li
            id={`${list}-${found.length}`}
            role="option"
            aria-selected={found.length === chosen}
            className={classes.option}
            onPointerDown={(event) => {
              event.preventDefault();
              void take(found.length);
            }}
          >
            <span className={classes.name}>{text.canvas.createTag(wanted)}</span>
          </li>
        )}
      </ul>
    </div>
  );
}

export function Swatch({ colour }: { colour: string }): ReactElement {
  return <span className={classes.swatch} style={{ background: colour }} aria-hidden="true" />;
}

/** The number key of a tag, for the first nine. */
export function Digit({ number }: { number: number }): ReactElement | null {
  if (number < 1 || number > 9) return null;
  return (
    <Kbd size="xs" aria-hidden="true">
      {number}
    </Kbd>
  );
}
