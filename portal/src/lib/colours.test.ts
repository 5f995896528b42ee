/** Colours of tags can be told apart and read. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { coloursOf, PALETTE } from "./colours.ts";

const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const contrast = (one: string, other: string): number => {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

test("words on every colour can be read", () => {
  for (const { fill, ink } of PALETTE) assert.ok(contrast(fill, ink) >= 4.5, `${fill} ${contrast(fill, ink)}`);
});

test("a few tags have different colours, whatever their order", () => {
  const tags = Array.from({ length: PALETTE.length }, (_, at) => `tag-${at}`);
  const colours = coloursOf(tags);
  assert.equal(new Set(colours.values()).size, PALETTE.length);
  assert.deepEqual(coloursOf(tags.toReversed()), colours);
});

test("many tags share colours evenly", () => {
  const colours = coloursOf(Array.from({ length: 3 * PALETTE.length }, (_, at) => `tag-${at}`));
  assert.equal(colours.size, 3 * PALETTE.length);
  assert.equal(new Set(colours.values()).size, PALETTE.length);
});
