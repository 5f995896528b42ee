/** What the server knows of how good an iteration is. */
import {
  keepPreviousData,
  useInfiniteQuery,
  type UseInfiniteQueryResult,
  useQuery,
  type UseQueryResult,
  type InfiniteData,
} from "@tanstack/react-query";

import { call, get, OWN, TRAINING } from "#/api/client.ts";
import { iterationsKey } from "#/api/iterations.ts";
import type {
  Evaluation,
  EvaluationCurve,
  Iteration,
  LabelError,
  LearningCurve,
  VerdictImages,
} from "#/api/types.ts";

export const THRESHOLD = 0.5;
export const OVERLAP = 0.3;
export const TOO_FEW = "TooFewImages";
const PAGE = 24;

const own = (project: string, iteration: string): string => `${OWN}/projects/${project}/iterations/${iteration}`;
const key = (project: string, iteration: string): string[] => [...iterationsKey(project), iteration];

export const useEvaluation = (project: string, iteration: string, overlap: number): UseQueryResult<Evaluation> =>
  useQuery({
    queryKey: [...key(project, iteration), "evaluation", overlap],
    queryFn: () => get<Evaluation>(`${own(project, iteration)}/evaluation`, { overlap }),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });

export const useCurve = (project: string, iteration: string, overlap: number): UseQueryResult<EvaluationCurve> =>
  useQuery({
    queryKey: [...key(project, iteration), "curve", overlap],
    queryFn: () => get<EvaluationCurve>(`${own(project, iteration)}/evaluation/curve`, { overlap }),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });

/** Which judged images to show. */
export interface Wanted {
  trueTag: string;
  saidTag: string;
  wrong: boolean;
  threshold: number;
  overlap: number;
}

export const useVerdicts = (
  project: string,
  iteration: string,
  wanted: Wanted,
): UseInfiniteQueryResult<InfiniteData<VerdictImages>> =>
  useInfiniteQuery({
    queryKey: [...key(project, iteration), "verdicts", wanted],
    queryFn: ({ pageParam }) =>
      get<VerdictImages>(`${own(project, iteration)}/evaluation/images`, {
        trueTag: wanted.trueTag || undefined,
        saidTag: wanted.saidTag || undefined,
        wrong: wanted.wrong || undefined,
        threshold: wanted.threshold,
        overlap: wanted.overlap,
        take: PAGE,
        skip: pageParam,
      }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((total, page) => total + page.images.length, 0);
      return shown < last.total ? shown : undefined;
    },
    placeholderData: keepPreviousData,
  });

export const useLabelErrors = (project: string, iteration: string): UseQueryResult<LabelError[]> =>
  useQuery({
    queryKey: [...key(project, iteration), "label-errors"],
    queryFn: () => get<LabelError[]>(`${own(project, iteration)}/label-errors`),
  });

/** What more images would bring; asked again while images are still being looked at. */
export const useLearningCurve = (project: string, iteration: string): UseQueryResult<LearningCurve> =>
  useQuery({
    queryKey: [...key(project, iteration), "learning-curve"],
    queryFn: () => get<LearningCurve>(`${own(project, iteration)}/learning-curve`),
    refetchInterval: (query) => (query.state.data?.waiting ? 3_000 : false),
  });


const at = (project: string, iteration: string): string => `${TRAINING}/projects/${project}/iterations/${iteration}`;

export const rename = (project: string, iteration: string, name: string): Promise<Iteration> =>
  call("PATCH", at(project, iteration), { json: { name } });

export const remove = (project: string, iteration: string): Promise<void> => call("DELETE", at(project, iteration));

export interface Publication {
  publishName: string;
  predictionId: string;
  overwrite: boolean;
}

export const publish = (project: string, iteration: string, to: Publication): Promise<void> =>
  call("POST", `${at(project, iteration)}/publish`, { query: { ...to } });

export const unpublish = (project: string, iteration: string): Promise<void> =>
  call("DELETE", `${at(project, iteration)}/publish`);
