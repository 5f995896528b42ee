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

// What the outputs hold, by name, for an input that is prepared already.
async function outputsOfTensorFlow() {
  const model = await tf.loadGraphModel(ADDRESS, { fetchFunc });
  const { buffer } = new Uint8Array(readFileSync(errand.input));
  const input = tf.tensor(new Float32Array(buffer), [1, height, width, 3]);
  const outputs = [await model.executeAsync(input)].flat();
  return Object.fromEntries(outputs.map((each, at) => [model.outputNodes[at], each.arraySync()]));
}

// What a page gets that hands over pictures: colours and size are the library's business.
async function answersOfMicrosoft() {
  const model = new microsoft[errand.task]();
  await model.loadModelAsync(ADDRESS, { fetchFunc });
  const pictures = new Uint8Array(readFileSync(errand.pictures));
  const answers = [];
  for (let at = 0; at < count; at++) {
    const data = pictures.subarray(4 * height * width * at, 4 * height * width * (at + 1));
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
