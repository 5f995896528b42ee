/** Boxes stay on the picture, whatever is done to them. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { between, fitted, HANDLES, hit, LEAST, moved, overlap, resized, same, within } from "./geometry.ts";

const BOX = { left: 0.25, top: 0.5, width: 0.25, height: 0.25 };

test("a box is drawn from any corner, and cut to the picture", () => {
  assert.deepEqual(between({ x: 0.75, y: 0.5 }, { x: 0.25, y: 0.25 }), { left: 0.25, top: 0.25, width: 0.5, height: 0.25 });
  assert.deepEqual(between({ x: 0.5, y: 0.5 }, { x: 3, y: -1 }), { left: 0.5, top: 0, width: 0.5, height: 0.5 });
});

test("a moved box keeps its size and stays on the picture", () => {
  assert.deepEqual(moved(BOX, 0.125, -0.25), { ...BOX, left: 0.375, top: 0.25 });
  assert.deepEqual(moved(BOX, 9, 9), { ...BOX, left: 0.75, top: 0.75 });
  assert.deepEqual(moved(BOX, -9, -9), { ...BOX, left: 0, top: 0 });
});

test("a handle moves its edges and no other", () => {
  assert.deepEqual(resized(BOX, "se", 0.25, 0.125), { ...BOX, width: 0.5, height: 0.375 });
  assert.deepEqual(resized(BOX, "n", 0.5, -0.25), { ...BOX, top: 0.25, height: 0.5 });
  assert.deepEqual(resized(BOX, "w", -9, 9), { ...BOX, left: 0, width: 0.5 });
});

test("no resizing turns a box inside out or leaves the picture", () => {
  for (const handle of HANDLES) {
    for (const by of [-3, -0.3, 0.3, 3]) {
      const box = resized(BOX, handle, by, by);
      assert.ok(box.left >= 0 && box.top >= 0 && box.left + box.width <= 1 && box.top + box.height <= 1);
      assert.ok(box.width >= LEAST - 1e-12 && box.height >= LEAST - 1e-12);
    }
  }
});

test("the smallest of the boxes at a point is hit", () => {
  const around = { left: 0, top: 0, width: 1, height: 1 };
  assert.equal(hit([BOX, around], { x: 0.3, y: 0.6 }), BOX);
  assert.equal(hit([around, BOX], { x: 0.3, y: 0.6 }), BOX);
  assert.equal(hit([BOX], { x: 0.9, y: 0.9 }), undefined);
});

test("overlap is the common share", () => {
  assert.equal(overlap(BOX, BOX), 1);
  assert.equal(overlap(BOX, { ...BOX, left: 0.5 }), 0);
  assert.ok(Math.abs(overlap(BOX, { ...BOX, left: 0.375 }) - 1 / 3) < 1e-9);
});

test("boxes are the same but for what rounding does", () => {
  assert.ok(same(BOX, { ...BOX, left: BOX.left + 1e-8 }));
  assert.ok(!same(BOX, { ...BOX, left: BOX.left + 1e-4 }));
});

test("what looks over the edge is cut off", () => {
  assert.deepEqual(within({ left: -0.5, top: 0.5, width: 1, height: 1 }), { left: 0, top: 0.5, width: 0.5, height: 0.5 });
});

test("sizes are fitted in proportion and never grow", () => {
  assert.deepEqual(fitted(4000, 3000, 2000), [2000, 1500]);
  assert.deepEqual(fitted(300, 200, 2000), [300, 200]);
});
