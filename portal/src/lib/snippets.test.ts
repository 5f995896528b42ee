import assert from "node:assert/strict";
import { test } from "node:test";

import { address, curl, javascript, python, type Target } from "./snippets.ts";

const target: Target = {
  endpoint: "http://here:8000",
  project: "p1",
  name: "line 7",
  key: "k'ey",
  detection: false,
  byUrl: false,
};

test("the address names project, name and kind", () => {
  const start = "http://here:8000/customvision/v3.1/prediction/p1";
  assert.equal(address(target), `${start}/classify/iterations/line%207/image`);
  assert.equal(address({ ...target, detection: true, byUrl: true }), `${start}/detect/iterations/line%207/url`);
});

test("curl sends the file, or the picture's address, and quotes what a shell would read", () => {
  assert.match(curl(target), /--data-binary @photo\.jpg$/);
  assert.match(curl(target), /-H 'Prediction-Key: k'\\''ey'/);
  assert.match(curl({ ...target, byUrl: true }), /-d '\{"url":"https:\/\/example\.com\/photo\.jpg"\}'$/);
});

test("Python calls the SDK by its kind", () => {
  assert.match(python(target), /client\.classify_image\("p1", "line 7", photo\)/);
  assert.match(python({ ...target, detection: true, byUrl: true }), /detect_image_url\("p1", "line 7", "https:/);
  assert.match(python({ ...target, detection: true }), /prediction\.bounding_box/);
});

test("JavaScript sends the same", () => {
  assert.match(javascript(target), /body: photo,/);
  assert.match(javascript({ ...target, byUrl: true }), /"Content-Type": "application\/json"/);
});
