import assert from "node:assert/strict";
import { test } from "node:test";

import { arc, at, bounded, keepingStep, nearestStep, path, tradeoff, type Rates } from "./curve.ts";

const line = (values: number[]): Rates["precision"] => ({
  values,
  lows: values.map((value) => value / 2),
  highs: values.map((value) => (1 + value) / 2),
});
const rates: Rates = {
  precision: line([0.5, 1, 0]),
  recall: line([1, 0.5, 0]),
  right: [2, 1, 0],
  wrong: [2, 0, 0],
  missed: [0, 1, 2],
};

test("a step has its figures and their intervals", () => {
  assert.deepEqual(at(rates, 1), {
    precision: { value: 1, low: 0.5, high: 1 },
    recall: { value: 0.5, low: 0.25, high: 0.75 },
    right: 1,
    wrong: 0,
    missed: 1,
  });
});

test("a step that is not there leaves everything open", () => {
  assert.deepEqual(at(rates, 7).precision, { value: 0, low: 0, high: 1 });
});

test("a promise is kept by the next higher step", () => {
  assert.equal(nearestStep(0.424), 42);
  assert.equal(keepingStep(0.424), 43);
  assert.equal(keepingStep(0.42), 42);
  assert.equal(keepingStep(1), 100);
});

test("a place can say anything", () => {
  assert.equal(bounded("41", 100, 50), 41);
  for (const written of [null, "x", "-1", "101"]) assert.equal(bounded(written, 100, 50), 50);
});

test("where nothing is said there is no precision to draw", () => {
  assert.deepEqual(tradeoff(rates), [
    { x: 1, y: 0.5, step: 0 },
    { x: 0.5, y: 1, step: 1 },
  ]);
});

test("paths begin at the first point and turn y over", () => {
  assert.equal(path([{ x: 0, y: 0 }, { x: 1, y: 0.5 }], 100), "M0 100L100 50");
  assert.equal(path([], 100), "");
});

test("an arc goes clockwise from the top", () => {
  assert.equal(arc(0, 0.25, 10, 20), "M20 10A10 10 0 0 1 30 20");
  assert.equal(arc(0.25, 1, 10, 20).includes(" 0 1 1 "), true);
  assert.equal(arc(0.5, 0.5, 10, 20), "");
});
