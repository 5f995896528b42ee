import assert from "node:assert/strict";
import { test } from "node:test";

import { giving, isNothing, reversed, switched, taking } from "./tagging.ts";

const image = (id: string, ...tags: string[]): { id: string; tags: { tagId: string }[] } => ({
  id,
  tags: tags.map((tagId) => ({ tagId })),
});

test("a tag is added to what lacks it", () => {
  const change = giving([image("a"), image("b", "red")], "red", { exclusive: false });
  assert.deepEqual(change, { add: [{ imageId: "a", tagId: "red" }], remove: [] });
});

test("where an image has one tag, the new one takes the place of the old one", () => {
  const change = giving([image("a", "red")], "blue", { exclusive: true });
  assert.deepEqual(change.remove, [{ imageId: "a", tagId: "red" }]);
  assert.deepEqual(reversed(change).add, [{ imageId: "a", tagId: "red" }]);
});

test("nothing stands beside the negative tag", () => {
  const rules = { exclusive: false, negative: "none" };
  assert.equal(giving([image("a", "red", "blue")], "none", rules).remove.length, 2);
  assert.deepEqual(giving([image("a", "none")], "red", rules).remove, [{ imageId: "a", tagId: "none" }]);
});

test("tags are taken, some or all", () => {
  const images = [image("a", "red", "blue"), image("b")];
  assert.equal(taking(images).remove.length, 2);
  assert.equal(taking(images, ["blue"]).remove.length, 1);
  assert.ok(isNothing(taking([image("b")])));
});

test("one image's tags follow the same rules", () => {
  const rules = { exclusive: false, negative: "none" };
  assert.deepEqual(switched(["red"], "blue", rules), ["red", "blue"]);
  assert.deepEqual(switched(["red", "blue"], "red", rules), ["blue"]);
  assert.deepEqual(switched(["red", "blue"], "none", rules), ["none"]);
  assert.deepEqual(switched(["none"], "red", rules), ["red"]);
  assert.deepEqual(switched(["red"], "blue", { exclusive: true }), ["blue"]);
});
