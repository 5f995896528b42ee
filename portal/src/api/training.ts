/** Trainings: beginning, following and cancelling them. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { call, get, OWN, TRAINING } from "#/api/client.ts";
import { iterationsKey } from "#/api/iterations.ts";
import type { Iteration, Progress } from "#/api/types.ts";

export const ADVANCED = "Advanced";
export const NOT_NEEDED = "BadRequestTrainingNotNeeded";

export interface Order {
  trainingType: string;
  reservedBudgetInHours: number;
  selectedTags: string[];
  notificationEmailAddress: string;
  forceTrain: boolean;
}

export const train = (project: string, order: Order): Promise<Iteration> => {
  const advanced = order.trainingType === ADVANCED;
  return call("POST", `${TRAINING}/projects/${project}/train`, {
    query: {
      trainingType: order.trainingType,
      reservedBudgetInHours: advanced ? order.reservedBudgetInHours : undefined,
      notificationEmailAddress: (advanced && order.notificationEmailAddress) || undefined,
      forceTrain: order.forceTrain || undefined,
    },
    json: { selectedTags: order.selectedTags },
  });
};

const at = (project: string, iteration: string): string => `${OWN}/projects/${project}/iterations/${iteration}`;

/** How far a training is, looked at every second. */
export const useProgress = (project: string, iteration: string): UseQueryResult<Progress> =>
  useQuery({
    queryKey: [...iterationsKey(project), iteration, "progress"],
    queryFn: () => get<Progress>(`${at(project, iteration)}/progress`),
    refetchInterval: 1_000,
  });

export const cancelTraining = (project: string, iteration: string): Promise<Progress> =>
  call("POST", `${at(project, iteration)}/cancel`);
