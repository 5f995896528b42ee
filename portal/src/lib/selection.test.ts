import assert from "node:assert/strict";
import { test } from "node:test";

import { extended, moved, NOTHING, toggled } from "./selection.ts";

test("a thing is selected and let go", () => {
  const one = toggled(NOTHING, "b", 1);
  assert.deepEqual([...one.ids], ["b"]);
  assert.equal(toggled(one, "b", 1).ids.size, 0);
});

test("ranges add up, and the next one goes from the same place", () => {
  const range = extended(toggled(NOTHING, "d", 3), ["c", "d"], 3);
  assert.deepEqual([...range.ids], ["d", "c"]);
  assert.equal(range.anchor, 3);
});

test("keys move in the grid and stay inside", () => {
  assert.equal(moved("ArrowRight", 0, 3, 10, 2), 1);
  assert.equal(moved("ArrowDown", 8, 3, 10, 2), 8);
  assert.equal(moved("PageDown", 1, 3, 10, 2), 7);
  assert.equal(moved("End", 1, 3, 10, 2), 9);
  assert.equal(moved("ArrowLeft", 0, 3, 10, 2), 0);
  assert.equal(moved("x", 0, 3, 10, 2), undefined);
});
