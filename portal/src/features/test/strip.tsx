/** The pictures that were tested, each with its best answer. */
import { UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";

import { type Answer, answered, type Picture } from "#/features/test/pictures.ts";
import { percent } from "#/lib/format.ts";
import { text } from "#/text/index.ts";

import classes from "./test.module.css";

export interface Tested {
  project: string;
  iteration: string;
  detects: boolean;
}

/** What an iteration says of a picture: asked once, and again only for another iteration. */
export const answerOf = ({ project, iteration, detects }: Tested, picture: Picture | undefined) => ({
  queryKey: ["quick-test", project, iteration, picture?.id],
  queryFn: (): Promise<Answer> => answered(project, iteration, picture?.blob ?? new Blob(), detects),
  enabled: picture !== undefined && iteration !== "",
  staleTime: Infinity,
  retry: false,
});

interface Props {
  tested: Tested;
  pictures: readonly Picture[];
  chosen: string | undefined;
  onChoose: (id: string) => void;
}

export function Strip({ tested, pictures, chosen, onChoose }: Props): ReactElement {
  return (
    <ul className={classes.strip} aria-label={text.test.pictures}>
      {pictures.map((picture) => (
        <li key={picture.id}>
          <Thumb tested={tested} picture={picture} chosen={picture.id === chosen} onChoose={onChoose} />
        </li>
      ))}
    </ul>
  );
}

interface ThumbProps {
  tested: Tested;
  picture: Picture;
  chosen: boolean;
  onChoose: (id: string) => void;
}

function Thumb({ tested, picture, chosen, onChoose }: ThumbProps): ReactElement {
  const { data, error } = useQuery(answerOf(tested, picture));
  const best = data?.predictions.reduce((one, other) => (other.probability > one.probability ? other : one), NOTHING);
  const told = error ? text.common.failed : best?.tagName ? `${best.tagName} ${percent(best.probability, 0)}` : "…";
  return (
    <UnstyledButton className={classes.thumb} aria-pressed={chosen} onClick={() => onChoose(picture.id)}>
      <img src={picture.shown} alt={text.test.picture(picture.name)} />
      <span>{told}</span>
    </UnstyledButton>
  );
}

const NOTHING = { probability: 0, tagName: "" };
