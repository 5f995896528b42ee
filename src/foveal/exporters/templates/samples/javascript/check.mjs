// Checks that the model answers here as it did where it was trained: `node check.mjs`.
// The folder `golden` holds photos, already in the model's size, and what the service said of them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Model, readPicture } from "./predict.mjs";

const TOLD = 0.1; // probability of a box that is compared
const DECODERS = 0.02; // the difference that a level of colour more or less can make

const folder = fileURLToPath(new URL("..", import.meta.url));
const golden = JSON.parse(readFileSync(join(folder, "golden", "expected.json"), "utf8"));
const tolerance = Math.max(golden.tolerance, DECODERS);
console.log(`JPEGs are not decoded alike everywhere, so differences up to ${tolerance} pass.`);

const model = await Model.open(folder);
const photos = Object.entries(golden.photos);
let good = 0;
for (const [name, predictions] of photos) {
  const said = await model.predict(readPicture(join(folder, "golden", name)));
  const worst = difference(predictions.map(expected), said);
  const same = worst <= tolerance || (golden.tolerance > 0.1 && predictions[0]?.tagName === said[0]?.tag);
  good += same;
  console.log(`${same ? "ok  " : "FAIL"} ${name}  largest difference ${worst.toFixed(6)}`);
}
const passed = good >= golden.share * photos.length;
console.log(`This model ${passed ? "answers" : "does NOT answer"} as the service does.`);
process.exitCode = passed ? 0 : 1;

/** A prediction of the service in the words of predict.mjs. */
function expected({ tagName: tag, probability, boundingBox }) {
  const { left, top, width, height } = boundingBox ?? {};
  return { tag, probability, box: boundingBox && [left, top, left + width, top + height] };
}

/** The largest difference of probabilities, and of edges of boxes; 1 where a box is missing. */
function difference(there, here) {
  if (![...there, ...here].some(({ box }) => box)) {
    const chances = Object.fromEntries(here.map(({ tag, probability }) => [tag, probability]));
    return Math.max(0, ...there.map(({ tag, probability }) => Math.abs(probability - (chances[tag] ?? 0))));
  }
  const certain = (boxes) => boxes.filter(({ probability }) => probability >= TOLD);
  const apart = (boxes, others) => certain(boxes).map((box) => nearest(box, others));
  return Math.max(0, ...apart(there, here), ...apart(here, there));
}

function nearest({ tag, probability, box }, others) {
  const rivals = others.filter((other) => other.tag === tag);
  const edges = (other) => box.map((edge, at) => Math.abs(edge - other.box[at]));
  return Math.min(1, ...rivals.map((other) => Math.max(...edges(other), Math.abs(probability - other.probability))));
}
