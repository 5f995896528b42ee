// Predicts with an exported TensorFlow.js model in Node: `node predict.mjs FOLDER_OF_THE_MODEL PICTURE`.
// The picture is a JPEG or PNG that is upright already.

import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";

const LEAST_PROBABILITY = 0.01;

/** An exported model in a folder; all that must be right is read from the files beside it. */
export class Model {
  static async open(folder) {
    return new Model(folder, await tf.loadGraphModel({ load: () => artifacts(folder) }));
  }

  constructor(folder, graph) {
    this.graph = graph;
    this.labels = readFileSync(join(folder, "labels.txt"), "utf8").split(/\r?\n/).filter(Boolean);
    this.metadata = JSON.parse(readFileSync(join(folder, "metadata_properties.json"), "utf8"));
  }

  /** The most probable first; boxes are left, top, right, bottom in fractions of the picture. */
  async predict(picture) {
    const [width, height] = ["Width", "Height"].map((side) => Number(this.setting(`Preprocess.Target${side}`)));
    const input = tf.tensor4d(pixels(picture, width, height, this.metadata), [1, height, width, 3]);
    const method = this.setting("Postprocess.Method");
    // How many boxes there are is known only afterwards, which needs the asynchronous call.
    const outputs = [method === "Detection" ? await this.graph.executeAsync(input) : this.graph.execute(input)].flat();
    const read = { Yolo: decodeGrid, Detection: pair }[method] ?? classify;
    const found = tf.tidy(() => read(outputs, this));
    tf.dispose([input, outputs]);
    return found.sort((a, b) => b.probability - a.probability);
  }

  setting(name) {
    return this.metadata[`CustomVision.${name}`];
  }
}

/** A JPEG or PNG as width, height and data: red, green, blue and opacity of each pixel. */
export function readPicture(path) {
  const bytes = readFileSync(path);
  const decode = bytes.readUInt16BE(0) === 0xffd8 ? (data) => jpeg.decode(data, { useTArray: true }) : PNG.sync.read;
  return decode(bytes);
}

/** Whether Node was told to run this module, which may also be imported. */
export function isProgram(address) {
  return Boolean(process.argv[1]) && address === pathToFileURL(realpathSync(process.argv[1])).href;
}

/** What TensorFlow.js asks of a loader: here from files, as its own is for browsers. */
async function artifacts(folder) {
  const { modelTopology, weightsManifest, signature } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  const shards = weightsManifest.flatMap(({ paths }) => paths).map((path) => readFileSync(join(folder, path)));
  const weights = Buffer.concat(shards);
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength);
  return { modelTopology, signature, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData };
}

/** The picture on white, stretched, with the colours in the order and range that the model was told. */
function pixels({ width, height, data }, toWidth, toHeight, metadata) {
  const opaque = new Float32Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const alpha = data[4 * at + 3] / 255;
    for (let c = 0; c < 3; c++) opaque[3 * at + c] = data[4 * at + c] * alpha + 255 * (1 - alpha);
  }
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

function classify([output], { labels }) {
  return Array.from(output.dataSync(), (probability, index) => ({ tag: labels[index], probability }));
}

/** Finished boxes: detected_boxes (n, 4), detected_scores (n), detected_classes (n). */
function pair(outputs, { labels, graph }) {
  const names = graph.outputNodes.map((name) => name.split(":")[0]);
  const named = Object.fromEntries(outputs.map((output, index) => [names[index], output.arraySync()]));
  return named.detected_scores.map((probability, index) => ({
    tag: labels[named.detected_classes[index]],
    probability,
    box: named.detected_boxes[index],
  }));
}

/**
 * A YOLO grid (1, rows, columns, anchors * (5 + tags)): x, y, width, height, objectness and the tags' logits.
 * Each box keeps its best tag. The choice among boxes that overlap is made in the model already.
 */
function decodeGrid([output], model) {
  const anchors = JSON.parse(model.setting("Postprocess.Yolo.Biases"));
  const offset = model.metadata["Foveal.Postprocess.Yolo.Offsets"] === "Logistic" ? logistic : (value) => value;
  const [, rows, columns] = output.shape;
  const cells = output.reshape([rows * columns, anchors.length / 2, 5 + model.labels.length]).arraySync();
  const found = cells.flatMap((slots, cell) =>
    slots.map(([x, y, w, h, objectness, ...logits], slot) => {
      const middleX = (offset(x) + (cell % columns)) / columns;
      const middleY = (offset(y) + Math.floor(cell / columns)) / rows;
      const halfW = (Math.exp(w) * anchors[2 * slot]) / columns / 2;
      const halfH = (Math.exp(h) * anchors[2 * slot + 1]) / rows / 2;
      const highest = Math.max(...logits);
      const share = 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
      const box = [middleX - halfW, middleY - halfH, middleX + halfW, middleY + halfH];
      return { tag: model.labels[logits.indexOf(highest)], probability: share * logistic(objectness), box };
    }),
  );
  return found.filter(({ probability }) => probability > LEAST_PROBABILITY);
}

function logistic(value) {
  return 1 / (1 + Math.exp(-value));
}

async function main([folder, file]) {
  if (!file) {
    console.error("Usage: node predict.mjs FOLDER_OF_THE_MODEL PICTURE");
    process.exit(2);
  }
  const model = await Model.open(folder);
  for (const { tag, probability, box } of await model.predict(readPicture(file))) {
    const place = box ? `  [${box.map((side) => side.toFixed(4)).join(", ")}]` : "";
    console.log(`${probability.toFixed(6)}  ${tag}${place}`);
  }
}

if (isProgram(import.meta.url)) await main(process.argv.slice(2));
