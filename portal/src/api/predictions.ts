/** Predictions: asking an iteration, and what was kept of what published iterations answered. */
import { call, OWN, TRAINING } from "#/api/client.ts";
import type {
  ClassifiedImage,
  ImageCreateSummary,
  ImageIdCreateEntry,
  ImagePrediction,
  PredictionQueryResult,
  PredictionQueryToken,
} from "#/api/types.ts";

const at = (project: string): string => `${TRAINING}/projects/${project}`;
export const predictionsKey = (project: string): string[] => ["predictions", project];

export const queryPredictions = (project: string, token: PredictionQueryToken): Promise<PredictionQueryResult> =>
  call("POST", `${at(project)}/predictions/query`, { json: token });

/** Delete at most 64. */
export const deletePredictions = (project: string, ids: readonly string[]): Promise<void> =>
  call("DELETE", `${at(project)}/predictions`, { query: { ids } });

/** Make training images of at most 64 stored predictions, which leave the list then. */
export const imagesFromPredictions = (
  project: string,
  images: readonly ImageIdCreateEntry[],
): Promise<ImageCreateSummary> => call("POST", `${at(project)}/images/predictions`, { json: { images } });

/** Ask an iteration about a picture; nothing is kept. */
export const quickTest = (project: string, iterationId: string, picture: Blob): Promise<ImagePrediction> =>
  call("POST", `${at(project)}/quicktest/image`, { query: { iterationId, store: false }, body: picture });

/** Ask about a picture of the web; it is kept as a prediction. */
export const quickTestUrlStored = (project: string, iterationId: string, url: string): Promise<ImagePrediction> =>
  call("POST", `${at(project)}/quicktest/url`, { query: { iterationId, store: true }, json: { url } });

/** Ask a classifier, also how unlike its training images the picture is. */
export const quickTestWithUnknown = (project: string, iteration: string, picture: Blob): Promise<ClassifiedImage> =>
  call("POST", `${OWN}/projects/${project}/iterations/${iteration}/classify/image`, { body: picture });
