/** Projects and domains. */
import { queryOptions, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get, OWN, TRAINING } from "#/api/client.ts";
import type { Domain, ExportFormat, Project } from "#/api/types.ts";

export const projectKey = (id: string): string[] => ["projects", id];
export const DETECTION = "ObjectDetection";

export const useProjects = (): UseQueryResult<Project[]> =>
  useQuery({ queryKey: ["projects"], queryFn: () => get<Project[]>(`${TRAINING}/projects`) });

export const projectQuery = (id: string) =>
  queryOptions({ queryKey: projectKey(id), queryFn: () => get<Project>(`${TRAINING}/projects/${id}`) });

export const useProject = (id: string): UseQueryResult<Project> => useQuery(projectQuery(id));

export const useDomains = (): UseQueryResult<Domain[]> =>
  useQuery({ queryKey: ["domains"], queryFn: () => get<Domain[]>(`${TRAINING}/domains`), staleTime: Infinity });

export const useFormats = (): UseQueryResult<ExportFormat[]> =>
  useQuery({ queryKey: ["formats"], queryFn: () => get<ExportFormat[]>(`${OWN}/export-formats`), staleTime: Infinity });
