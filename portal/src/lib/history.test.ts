/** One step back undoes one thing. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { begun, redone, undone, went } from "./history.ts";

test("undo goes one step back and redo one forward", () => {
  const history = went(went(begun("a"), "b"), "c");
  assert.equal(undone(history).present, "b");
  assert.equal(undone(undone(history)).present, "a");
  assert.equal(redone(undone(history)).present, "c");
});

test("there is an end in both directions", () => {
  assert.equal(undone(begun("a")).present, "a");
  assert.equal(redone(begun("a")).present, "a");
});

test("a new step takes the place of what was undone", () => {
  const history = went(undone(went(begun("a"), "b")), "c");
  assert.equal(redone(history).present, "c");
  assert.equal(undone(history).present, "a");
});

test("steps of one name in quick succession are one, later ones and others are not", () => {
  const held = went(went(begun(0), 1, "nudge", 1000), 2, "nudge", 1500);
  assert.equal(undone(held).present, 0);
  assert.equal(undone(went(held, 3, "nudge", 5000)).present, 2);
  assert.equal(undone(went(held, 3, "other", 1600)).present, 2);
});

test("a step after an undo stands for itself", () => {
  const history = went(undone(went(begun(0), 1, "nudge", 1000)), 2, "nudge", 1100);
  assert.equal(undone(history).present, 0);
});
