import assert from "node:assert/strict";
import { test } from "node:test";

import { imbalanced, readiness } from "./readiness.ts";

const tags = [
  { name: "good", imageCount: 15 },
  { name: "bad", imageCount: 4 },
];

test("a classifier needs two tags of five images", () => {
  assert.deepEqual(readiness(tags, false), { needed: 5, tagsMissing: 0, short: [tags[1]] });
  assert.equal(readiness(tags.slice(0, 1), false).tagsMissing, 1);
});

test("a detector needs one tag of fifteen images", () => {
  assert.deepEqual(readiness(tags.slice(0, 1), true), { needed: 15, tagsMissing: 0, short: [] });
  assert.equal(readiness([], true).tagsMissing, 1);
});

test("twice as many images are no imbalance yet", () => {
  assert.equal(imbalanced([10, 5]), false);
  assert.equal(imbalanced([11, 5]), true);
  assert.equal(imbalanced([11, 0]), false);
  assert.equal(imbalanced([]), false);
});
