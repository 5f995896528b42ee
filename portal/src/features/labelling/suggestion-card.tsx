/** An image with what is suggested for it: to tick, to give another tag, to open. */
import { Button, Checkbox, Popover } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { memo, type ReactElement } from "react";

import { near } from "#/api/client.ts";
import type { Prediction, Tag } from "#/api/types.ts";
import { painted } from "#/lib/colours.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import { TagField } from "#/ui/canvas/tag-field.tsx";
import type { Looks } from "#/ui/canvas/types.ts";

import classes from "./labelling.module.css";

const SHOWN_TAGS = 4;

interface Props {
  place: number;
  picture: string;
  tags: readonly Tag[];
  looks: Looks;
  /** What the model says, the likeliest first; empty: there is no model yet. */
  predictions: readonly Prediction[];
  ticked?: boolean;
  onTick?: (ticked: boolean) => void;
  /** Undefined for roles that may not tag. */
  onGive?: ((tag: Tag) => void) | undefined;
}

export const SuggestionCard = memo(function SuggestionCard(props: Props): ReactElement {
  const { place, predictions, tags } = props;
  const [best] = predictions;
  const order = new Map(predictions.map((each, at) => [each.tagId, at]));
  const offered = [...tags].sort((a, b) => (order.get(a.id) ?? 999) - (order.get(b.id) ?? 999)).slice(0, SHOWN_TAGS);
  const [opened, { toggle, close }] = useDisclosure(false);
  const label = best ? text.labelling.card(place, best.tagName, percent(best.probability, 0)) : text.labelling.plainCard(place);
  return (
    <li className={classes.card} data-ticked={props.ticked || undefined} aria-label={label}>
      <div className={classes.frame}>
        <img className="picture" src={near(props.picture)} alt="" loading="lazy" />
        {props.onTick && (
          <Checkbox
            className={classes.tick ?? ""}
            aria-label={text.labelling.include(place)}
            checked={props.ticked ?? false}
            onChange={(event) => props.onTick?.(event.currentTarget.checked)}
          />
        )}
      </div>
      <div className={classes.below}>
        {offered.map((tag) => {
          const said = predictions[order.get(tag.id) ?? -1];
          return (
            <Button
              key={tag.id}
              size="compact-xs"
              variant={said && said === best ? "filled" : "default"}
              disabled={!props.onGive}
              onClick={() => props.onGive?.(tag)}
              style={said && said === best ? painted(lookOf(props.looks, tag.id).colour) : undefined}
            >
              {tag.name}
              {said ? ` ${percent(said.probability, 0)}` : ""}
            </Button>
          );
        })}
        {props.onGive && tags.length > SHOWN_TAGS && (
          <Popover opened={opened} onDismiss={close} withinPortal trapFocus>
            <Popover.Target>
              <Button size="compact-xs" variant="subtle" onClick={toggle} title={text.labelling.other}>
                {text.labelling.otherShort}
              </Button>
            </Popover.Target>
            <Popover.Dropdown>
              <TagField
                label={text.labelling.other}
                tags={tags}
                looks={props.looks}
                onChoose={(id) => {
                  close();
                  const tag = tags.find((each) => each.id === id);
                  if (tag) props.onGive?.(tag);
                }}
              />
            </Popover.Dropdown>
          </Popover>
        )}
      </div>
    </li>
  );
});
