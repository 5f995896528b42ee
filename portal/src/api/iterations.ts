/** Iterations of a project. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get, TRAINING } from "#/api/client.ts";
import type { Iteration } from "#/api/types.ts";

export const COMPLETED = "Completed";
export const TRAINS = "Training";
export const iterationsKey = (project: string): string[] => ["iterations", project];

/** The iterations, newest first; looked at again and again while one trains. */
export const useIterations = (project: string): UseQueryResult<Iteration[]> =>
  useQuery({
    queryKey: iterationsKey(project),
    queryFn: () => get<Iteration[]>(`${TRAINING}/projects/${project}/iterations`),
    refetchInterval: (query) => (query.state.data?.some((each) => each.status === TRAINS) ? 1_000 : false),
  });

export const completed = (iterations: Iteration[] | undefined): Iteration[] =>
  (iterations ?? []).filter((each) => each.status === COMPLETED);
