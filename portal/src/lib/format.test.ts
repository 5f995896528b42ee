import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, count, duration } from "./format.ts";

test("thousands are told apart", () => {
  assert.deepEqual([0, 999, 1000, 100_000, 1_234_567].map(count), ["0", "999", "1,000", "100,000", "1,234,567"]);
});

test("sizes and times are told in units that people know", () => {
  assert.deepEqual([bytes(10), bytes(999_000), bytes(2_900_000)], ["1 kB", "999 kB", "2.9 MB"]);
  assert.deepEqual([duration(4.21), duration(59), duration(125), duration(7320)], ["4.2 s", "59 s", "2 min 5 s", "2 h 2 min"]);
});
