import assert from "node:assert/strict";
import { test } from "node:test";

import { extended, moved, NOTHING, toggled } from "./selection.ts";

const ids = ["a", "b", undefined, "d"];
const at = (place: number): string | undefined => ids[place];

test("a thing is selected and let go", () => {
  const one = toggled(NOTHING, "b", 1);
  assert.deepEqual([...one.ids], ["b"]);
  assert.equal(toggled(one, "b", 1).ids.size, 0);
});

test("a range goes from the anchor either way and leaves out what is not loaded", () => {
  const anchored = toggled(NOTHING, "d", 3);
  assert.deepEqual([...extended(anchored, 0, at).ids].sort(), ["a", "b", "d"]);
});

test("keys move in the grid and stay inside", () => {
  assert.equal(moved("ArrowRight", 0, 3, 10, 2), 1);
  assert.equal(moved("ArrowDown", 8, 3, 10, 2), 8);
  assert.equal(moved("PageDown", 1, 3, 10, 2), 7);
  assert.equal(moved("End", 1, 3, 10, 2), 9);
  assert.equal(moved("ArrowLeft", 0, 3, 10, 2), 0);
  assert.equal(moved("x", 0, 3, 10, 2), undefined);
});
