// Runs an exported model with TensorFlow.js, and with Microsoft's library for such models; prints the answers as JSON.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

const errand = JSON.parse(process.argv[2]);
const packages = createRequire(join(errand.home, "package.json"));
const [FRAMEWORK, LIBRARY] = ["@tensorflow/tfjs", "@microsoft/customvision-tfjs"];
const tf = packages(FRAMEWORK);
const microsoft = packages(LIBRARY);

// Both fetch the files by their addresses, as in a browser; only the transport is ours.
const ADDRESS = "https://model.invalid/model.json";
const fetchFunc = async (address) => new Response(readFileSync(join(errand.model, basename(address))));

const [count, height, width] = errand.shape;
const places = Array.from({ length: count }, (_, photo) => photo * height * width);

// What the outputs hold, by name, for inputs that are prepared already.
async function outputsOfTensorFlow() {
  const model = await tf.loadGraphModel(ADDRESS, { fetchFunc });
  const { buffer } = new Uint8Array(readFileSync(errand.inputs));
  const answers = [];
  for (const place of places) {
    const input = tf.tensor(new Float32Array(buffer, 12 * place, 3 * height * width), [1, height, width, 3]);
    const outputs = [await model.executeAsync(input)].flat();
    answers.push(Object.fromEntries(outputs.map((each, at) => [model.outputNodes[at], each.arraySync()])));
  }
  return answers;
}

// What a page gets that hands over pictures: colours and size are the library's business.
async function answersOfMicrosoft() {
  const model = new microsoft[errand.task]();
  await model.loadModelAsync(ADDRESS, { fetchFunc });
  const pictures = new Uint8Array(readFileSync(errand.pictures));
  const answers = [];
  for (const place of places) {
    const data = pictures.subarray(4 * place, 4 * (place + height * width));
    answers.push(await model.executeAsync({ data, width, height }));
  }
  return answers;
}

// Where a package lies that is asked for from a place.
const lies = (name, from = packages) => dirname(from.resolve(`${name}/package.json`));

const names = [FRAMEWORK, LIBRARY];
const told = {
  versions: names.map((name) => packages(`${name}/package.json`).version),
  copies: [lies(FRAMEWORK, createRequire(packages.resolve(LIBRARY))), ...names.map((name) => lies(name))],
  tensorflow: await outputsOfTensorFlow(),
  microsoft: await answersOfMicrosoft(),
};
process.stdout.write(`${JSON.stringify(told)}\n`);
