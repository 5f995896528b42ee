/** What a model says of a whole picture: its tags with their probabilities, as bars. */
import type { ReactElement } from "react";

import type { Prediction } from "#/api/types.ts";
import { percent } from "#/lib/format.ts";
import { lookOf } from "#/ui/canvas/looks.ts";
import type { Looks } from "#/ui/canvas/types.ts";

import classes from "./scores.module.css";

interface Props {
  label: string;
  predictions: readonly Prediction[];
  looks: Looks;
  digits?: number;
}

export function Scores({ label, predictions, looks, digits = 1 }: Props): ReactElement {
  return (
    <ul className={classes.scores} aria-label={label}>
      {predictions.map(({ tagId, tagName, probability }) => (
        <li key={tagId} className={classes.score}>
          <span className={classes.name}>{tagName}</span>
          <span className={classes.value}>{percent(probability, digits)}</span>
          <span className={classes.meter}>
            <span style={{ width: `${probability * 100}%`, background: lookOf(looks, tagId).colour.fill }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
