// The quickstart as programs for Node have it, with the SDKs whose names are given; prints what it saw as JSON.

import { randomUUID } from "node:crypto";
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const errand = JSON.parse(process.argv[2]);
const packages = createRequire(join(errand.home, "package.json"));
const { TrainingAPIClient } = packages(errand.training);
const { PredictionAPIClient } = packages(errand.prediction);
const { ApiKeyCredentials } = createRequire(packages.resolve(errand.training))("@azure/ms-rest-js");
const { version } = packages(`${errand.training}/package.json`);

const PUBLISHED_AS = "first";
const PATIENCE_MS = 120_000;
const picture = readFileSync(join(errand.album, "unseen", basename(errand.address)));

// Before 5.0 the clients take the key itself.
function openClients(trainingKey, predictionKey) {
  const takesKey = Number.parseInt(version) < 5;
  const secret = (name, key) => (takesKey ? key : new ApiKeyCredentials({ inHeader: { [name]: key } }));
  return {
    trainer: new TrainingAPIClient(secret("Training-key", trainingKey), errand.endpoint),
    predictor: new PredictionAPIClient(secret("Prediction-key", predictionKey), errand.endpoint),
  };
}

async function run() {
  const { trainer, predictor } = openClients(errand.training_key, errand.prediction_key);
  const domains = await trainer.getDomains();
  const domain = domains.find((one) => one.type === "Classification" && one.name === "General");
  const options = { domainId: domain.id, classificationType: "Multiclass" };
  const { id: project, settings } = await trainer.createProject(`quickstart ${randomUUID()}`, options);
  const uploads = await upload(trainer, project);
  const [iteration, statuses] = await train(trainer, project);
  const figures = await measured(trainer, project, iteration);
  const published = await trainer.publishIteration(project, iteration, PUBLISHED_AS, errand.resource);
  const predictions = await predict(predictor, project);
  const quick = await quickTest(trainer, project, iteration);
  const refusals = await refuse(trainer, project, iteration);
  const end = await takeDown(trainer, predictor, project, iteration);
  return {
    version,
    copy: dirname(dirname(packages.resolve(`${errand.training}/package.json`))),
    asked: [pathOf(domains), predictions.asked],
    domain: [settings.domainId === domain.id, settings.classificationType],
    uploads,
    statuses,
    figures,
    published: published.body,
    files: predictions.files,
    answers: { ...predictions.answers, ...quick },
    refusals: { ...refusals, ...end.refusals },
    deleted: end.deleted,
  };
}

const pathOf = (answer) => new URL(answer._response.request.url).pathname;
const statusOf = async (answer) => (await answer)._response.status;

// These SDKs take a stream as a function that opens it.
const streamOf = (path) => () => createReadStream(path);

function filesIn(...folders) {
  const folder = join(errand.album, ...folders);
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

// Make the tags and upload: a batch, some of it again, and one file as it is.
async function upload(trainer, project) {
  const tags = {};
  for (const name of ["red", "blue"]) {
    tags[name] = (await trainer.createTag(project, name)).id;
  }
  const images = ["blue", "red"].flatMap((tag) =>
    filesIn("train", tag).map((path) => ({ name: basename(path), contents: readFileSync(path), tagIds: [tags[tag]] })),
  );
  const batch = await trainer.createImagesFromFiles(project, { images });
  const again = await trainer.createImagesFromFiles(project, { images: images.slice(0, 2) });
  const file = streamOf(join(errand.album, "single", "red.png"));
  const single = await trainer.createImagesFromData(project, file, { tagIds: [tags.red] });
  const counts = Object.fromEntries((await trainer.getTags(project)).map((tag) => [tag.name, tag.imageCount]));
  return { batch: told(batch), again: told(again), single: told(single), counts };
}

function told(answer) {
  return {
    http: answer._response.status,
    successful: answer.isBatchSuccessful,
    statuses: answer.images.map((image) => image.status),
    names: answer.images.map((image) => image.sourceUrl),
    ids: answer.images.map((image) => image.image.id),
  };
}

// Train and poll; give the iteration and the statuses that it went through.
async function train(trainer, project) {
  let iteration = await trainer.trainProject(project);
  const statuses = new Set([iteration.status]);
  const deadline = Date.now() + PATIENCE_MS;
  while (!["Completed", "Failed"].includes(iteration.status) && Date.now() < deadline) {
    await sleep(100);
    iteration = await trainer.getIteration(project, iteration.id);
    statuses.add(iteration.status);
  }
  return [iteration.id, [...statuses]];
}

async function measured(trainer, project, iteration) {
  const found = await trainer.getIterationPerformance(project, iteration, { threshold: 0.5 });
  const rows = [["all", found], ...found.perTagPerformance.map((row) => [row.name, row])];
  return Object.fromEntries(rows.map(([name, row]) => [name, [row.precision, row.recall, row.averagePrecision]]));
}

// Classify files, and one picture in each way there is.
async function predict(predictor, project) {
  const files = {};
  for (const path of filesIn("unseen")) {
    files[basename(path)] = ranked(await predictor.classifyImage(project, PUBLISHED_AS, streamOf(path)));
  }
  const url = { url: errand.address };
  const first = await predictor.classifyImageUrl(project, PUBLISHED_AS, url);
  const bare = await predictor.classifyImageWithNoStore(project, PUBLISHED_AS, picture);
  const bareAddress = await predictor.classifyImageUrlWithNoStore(project, PUBLISHED_AS, url);
  const answers = { address: ranked(first), "no store": ranked(bare), "address, no store": ranked(bareAddress) };
  return { asked: pathOf(first), files, answers };
}

async function quickTest(trainer, project, iterationId) {
  const ofAddress = await trainer.quickTestImageUrl(project, { url: errand.address }, { iterationId });
  return {
    "quick test": ranked(await trainer.quickTestImage(project, picture, { iterationId })),
    "quick test of address": ranked(ofAddress),
  };
}

function ranked(answer) {
  return answer.predictions.map((one) => [one.tagName, one.probability]);
}

// Do what the service refuses.
async function refuse(trainer, project, iteration) {
  const stranger = openClients("wrong", "wrong");
  return {
    "training key": await refused(stranger.trainer.getProjects()),
    "prediction key": await refused(stranger.predictor.classifyImage(project, PUBLISHED_AS, picture)),
    project: await refused(trainer.getTags(randomUUID())),
    published: await refused(trainer.deleteIteration(project, iteration)),
  };
}

// Unpublish and delete everything; tell the statuses of HTTP, and what then no longer works.
async function takeDown(trainer, predictor, project, iteration) {
  const done = { published: await statusOf(trainer.unpublishIteration(project, iteration)) };
  const unpublished = await refused(predictor.classifyImage(project, PUBLISHED_AS, picture));
  done.iteration = await statusOf(trainer.deleteIteration(project, iteration));
  done["iterations left"] = (await trainer.getIterations(project)).length;
  done.project = await statusOf(trainer.deleteProject(project));
  return { deleted: done, refusals: { unpublished, deleted: await refused(trainer.getProject(project)) } };
}

// Tell the error that the answer turns out to be.
async function refused(answer) {
  try {
    await answer;
  } catch (error) {
    return { http: error.statusCode, raised: error.constructor.name, code: error.code, message: error.message };
  }
  throw new Error("The service did not refuse.");
}

process.stdout.write(`${JSON.stringify(await run())}\n`);
