/** Exports of an iteration. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { call, get, OWN } from "#/api/client.ts";
import type { ExportFormat, OwnExport } from "#/api/types.ts";

export const EXPORTING = "Exporting";
export const DONE = "Done";

const at = (project: string, iteration: string): string => `${OWN}/projects/${project}/iterations/${iteration}/exports`;
export const exportsKey = (iteration: string): string[] => ["exports", iteration];

/** The exports, looked at again and again while one is being written. */
export const useExports = (project: string, iteration: string): UseQueryResult<OwnExport[]> =>
  useQuery({
    queryKey: exportsKey(iteration),
    queryFn: () => get<OwnExport[]>(at(project, iteration)),
    refetchInterval: (query) => (query.state.data?.some((each) => each.status === EXPORTING) ? 1_000 : false),
  });

const named = ({ platform, flavor }: ExportFormat): { platform: string; flavor: string | null } => ({ platform, flavor });

export const startExport = (project: string, iteration: string, format: ExportFormat): Promise<OwnExport> =>
  call("POST", at(project, iteration), { query: named(format) });

export const deleteExport = (project: string, iteration: string, format: ExportFormat): Promise<void> =>
  call("DELETE", at(project, iteration), { query: named(format) });
