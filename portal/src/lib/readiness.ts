/** Whether tags have enough images to learn from; the server decides in the end, this warns before. */

export const FEWEST_TAGS = 2;
export const FEWEST_IMAGES = 5;
export const FEWEST_WITH_BOX = 15;

interface Counted {
  name: string;
  imageCount: number;
}

export interface Readiness<T> {
  /** How many images each tag needs. */
  needed: number;
  /** How many tags are missing altogether. */
  tagsMissing: number;
  short: T[];
}

export function readiness<T extends Counted>(tags: readonly T[], detection: boolean): Readiness<T> {
  const needed = detection ? FEWEST_WITH_BOX : FEWEST_IMAGES;
  return {
    needed,
    tagsMissing: Math.max(0, (detection ? 1 : FEWEST_TAGS) - tags.length),
    short: tags.filter((tag) => tag.imageCount < needed),
  };
}

/** Whether one tag has so many more images than another that the model will lean to it. */
export function imbalanced(counts: readonly number[], times = 2): boolean {
  const some = counts.filter((each) => each > 0);
  return some.length > 1 && Math.max(...some) > times * Math.min(...some);
}
