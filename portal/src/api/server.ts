/** The server's keys and resources. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get, OWN } from "#/api/client.ts";
import type { OwnResource, ServerKeys } from "#/api/types.ts";
import { useMay, useServer } from "#/app/session.tsx";

/** The server's own keys, for who may see them; nothing is asked for others. */
export function useServerKeys(): UseQueryResult<ServerKeys> {
  const enabled = useMay("manage") && useServer().resource === null;
  return useQuery({ queryKey: ["keys"], queryFn: () => get<ServerKeys>(`${OWN}/keys`), enabled });
}

export const useResources = (): UseQueryResult<OwnResource[]> =>
  useQuery({ queryKey: ["resources"], queryFn: () => get<OwnResource[]>(`${OWN}/resources`) });
