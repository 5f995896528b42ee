import assert from "node:assert/strict";
import { test } from "node:test";

import { certificate, grouped, same, tiny } from "./formats.ts";

test("formats come by what they are for, and unknown ones last", () => {
  const made = grouped([{ name: "onnx-10" }, { name: "hologram" }, { name: "onnx" }, { name: "tfjs" }]);
  assert.deepEqual(
    made.map(([group, formats]) => [group, formats.map((each) => each.name)]),
    [
      ["browser", ["tfjs"]],
      ["windows", ["onnx", "onnx-10"]],
      ["other", ["hologram"]],
    ],
  );
});

test("no flavor and an empty one are the same", () => {
  assert.equal(same({ platform: "ONNX", flavor: null }, { platform: "ONNX", flavor: "" }), true);
  assert.equal(same({ platform: "ONNX", flavor: null }, { platform: "ONNX", flavor: "ONNX10" }), false);
});

test("a certificate tells the larger of its differences", () => {
  const read = certificate({
    agreement: 1,
    photos: 16,
    largest_difference: 0.001,
    largest_box_difference: 0.002,
    tolerance: 0.98,
    precision: "int8-weights",
    milliseconds: 4.2,
  });
  assert.deepEqual(read, {
    agreement: 1,
    photos: 16,
    largest: 0.002,
    tolerance: 0.98,
    byAgreement: true,
    milliseconds: 4.2,
  });
  assert.equal(certificate(null), null);
});

test("tiny numbers stay readable", () => {
  assert.deepEqual([tiny(0), tiny(0.00042), tiny(1.2e-7)], ["0", "0.0004", "1e-7"]);
});
