// Predicts with an exported TensorFlow.js model in Node: `node predict.mjs FOLDER_OF_THE_MODEL PICTURE`.
// The picture is a JPEG or PNG that is upright already.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";

const LEAST_PROBABILITY = 0.01;
const MOST_BOXES = 64;

const [folder, file] = process.argv.slice(2);
if (!file) {
  console.error("Usage: node predict.mjs FOLDER_OF_THE_MODEL PICTURE");
  process.exit(2);
}
const labels = readFileSync(join(folder, "labels.txt"), "utf8").split(/\r?\n/).filter(Boolean);
const metadata = JSON.parse(readFileSync(join(folder, "metadata_properties.json"), "utf8"));
const setting = (name) => metadata[`CustomVision.${name}`];

for (const { tag, probability, box } of await predict(readPicture(file))) {
  const place = box ? `  [${box.map((side) => side.toFixed(4)).join(", ")}]` : "";
  console.log(`${probability.toFixed(6)}  ${tag}${place}`);
}

/** The most probable first; boxes are left, top, right, bottom in fractions of the picture. */
async function predict(picture) {
  const model = await tf.loadGraphModel({ load: loadModel });
  const input = tf.tensor4d(pixels(picture), [1, side("Height"), side("Width"), 3]);
  const method = setting("Postprocess.Method");
  // How many boxes there are is known only afterwards, which needs the asynchronous call.
  const outputs = [method === "Detection" ? await model.executeAsync(input) : model.execute(input)].flat();
  const read = { Yolo: decodeGrid, Detection: (...found) => pair(found, model.outputNodes) }[method] ?? classify;
  return read(...outputs).sort((a, b) => b.probability - a.probability);
}

/** What TensorFlow.js asks of a loader: here from files, as its own is for browsers. */
async function loadModel() {
  const { modelTopology, weightsManifest, signature } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  const shards = weightsManifest.flatMap(({ paths }) => paths).map((path) => readFileSync(join(folder, path)));
  const weights = Buffer.concat(shards);
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength);
  return { modelTopology, signature, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData };
}

function readPicture(path) {
  const bytes = readFileSync(path);
  const decode = bytes.readUInt16BE(0) === 0xffd8 ? (data) => jpeg.decode(data, { useTArray: true }) : PNG.sync.read;
  return decode(bytes);
}

function side(name) {
  return Number(setting(`Preprocess.Target${name}`));
}

/** The picture on white, stretched, with the colours in the order and range that the model was told. */
function pixels({ width, height, data }) {
  const opaque = new Float32Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const alpha = data[4 * at + 3] / 255;
    for (let c = 0; c < 3; c++) opaque[3 * at + c] = data[4 * at + c] * alpha + 255 * (1 - alpha);
  }
  const [toWidth, toHeight] = [side("Width"), side("Height")];
  // Turned once and back again, both sides are stretched by the same few lines.
  const small = stretchAndTurn(stretchAndTurn(opaque, width, height, toWidth), height, toWidth, toHeight);
  const order = metadata["Image.BitmapPixelFormat"] === "Bgr8" ? [2, 1, 0] : [0, 1, 2];
  const divisor = metadata["Image.NominalPixelRange"] === "Normalized_0_1" ? 255 : 1;
  return small.map((_, at) => Math.round(small[at - (at % 3) + order[at % 3]]) / divisor);
}

/** Give each row another length; rows come out as columns. */
function stretchAndTurn(source, width, height, to) {
  const result = new Float32Array(to * height * 3);
  mixtures(width, to).forEach((parts, column) => {
    for (let row = 0; row < height; row++) {
      for (const [from, weight] of parts) {
        const [into, out] = [3 * (column * height + row), 3 * (row * width + from)];
        for (let c = 0; c < 3; c++) result[into + c] += weight * source[out + c];
      }
    }
  });
  return result;
}

/** For each new pixel those that it is made of, and their weights: a triangle as wide as the reduction is strong. */
function mixtures(from, to) {
  const reach = Math.max(from / to, 1);
  return Array.from({ length: to }, (_, target) => {
    const middle = ((target + 0.5) * from) / to;
    const first = Math.max(0, Math.floor(middle - reach));
    const parts = Array.from({ length: Math.min(from, Math.ceil(middle + reach)) - first }, (_, at) => first + at);
    const weights = parts.map((part) => Math.max(0, 1 - Math.abs(part + 0.5 - middle) / reach));
    const total = weights.reduce((sum, weight) => sum + weight);
    return parts.map((part, at) => [part, weights[at] / total]);
  });
}

function classify(output) {
  return Array.from(output.dataSync(), (probability, index) => ({ tag: labels[index], probability }));
}

/** Finished boxes: detected_boxes (n, 4), detected_scores (n), detected_classes (n). */
function pair(outputs, names) {
  const named = Object.fromEntries(outputs.map((output, index) => [names[index].split(":")[0], output.arraySync()]));
  return named.detected_scores.map((probability, index) => ({
    tag: labels[named.detected_classes[index]],
    probability,
    box: named.detected_boxes[index],
  }));
}

/** A YOLO grid (1, rows, columns, anchors * (5 + tags)): x, y, width, height, objectness and the tags' logits. */
function decodeGrid(output) {
  const anchors = JSON.parse(setting("Postprocess.Yolo.Biases"));
  const [, rows, columns] = output.shape;
  const cells = output.reshape([rows * columns, anchors.length / 2, 5 + labels.length]).arraySync();
  const found = cells.flatMap((slots, cell) =>
    slots.map(([x, y, w, h, objectness, ...logits], slot) => {
      const [middleX, middleY] = [((cell % columns) + x) / columns, (Math.floor(cell / columns) + y) / rows];
      const halfW = (Math.exp(w) * anchors[2 * slot]) / columns / 2;
      const halfH = (Math.exp(h) * anchors[2 * slot + 1]) / rows / 2;
      const highest = Math.max(...logits);
      const share = 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
      const box = [middleX - halfW, middleY - halfH, middleX + halfW, middleY + halfH];
      return { tag: labels[logits.indexOf(highest)], probability: share / (1 + Math.exp(-objectness)), box };
    }),
  );
  return chooseBoxes(found.filter(({ probability }) => probability >= LEAST_PROBABILITY));
}

/** Of boxes with the same tag that overlap much, only the most probable one. */
function chooseBoxes(found) {
  const limit = Number(setting("Postprocess.Yolo.NmsThreshold"));
  const kept = [];
  for (const each of found.sort((a, b) => b.probability - a.probability)) {
    if (!kept.some((other) => other.tag === each.tag && overlap(other.box, each.box) > limit)) kept.push(each);
  }
  return kept.slice(0, MOST_BOXES);
}

function overlap(a, b) {
  const area = ([left, top, right, bottom]) => Math.max(0, right - left) * Math.max(0, bottom - top);
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both / (area(a) + area(b) - both);
}
