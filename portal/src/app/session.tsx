/** Who is signed in, to which server, and what their role may do. */
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactElement, type ReactNode, useContext } from "react";

import { ApiError, call, get, OWN } from "#/api/client.ts";
import type { Server } from "#/api/types.ts";
import { Failure, Loading } from "#/ui/feedback.tsx";

export type Permission = "read" | "label" | "test" | "train" | "publish" | "predict" | "manage";

const SessionContext = createContext<Server | null>(null);
export const serverQuery = queryOptions({
  queryKey: ["server"],
  queryFn: () => get<Server>(`${OWN}/server`),
  retry: false,
  staleTime: 60_000,
});

/** Give its children the session, or show `otherwise` while nobody is signed in. */
export function Session({ children, otherwise }: { children: ReactNode; otherwise: ReactElement }): ReactElement {
  const server = useQuery(serverQuery);
  if (server.data) return <SessionContext.Provider value={server.data}>{children}</SessionContext.Provider>;
  if (server.isPending) return <Loading />;
  if (server.error instanceof ApiError && server.error.status === 401) return otherwise;
  return <Failure error={server.error} retry={() => void server.refetch()} />;
}

export function useServer(): Server {
  const server = useContext(SessionContext);
  if (!server) throw new Error("There is no session around this component.");
  return server;
}

/** Whether the role of who is signed in has a permission. */
export const useMay = (permission: Permission): boolean => useServer().permissions.includes(permission);

export async function signIn(given: { key?: string; link?: string }): Promise<void> {
  await call("POST", `${OWN}/session`, { json: given });
}

/** Sign out: the cookie goes, and with the page all that was read with it. */
export async function signOut(): Promise<void> {
  await call("DELETE", `${OWN}/session`);
  location.replace("#/");
  location.reload();
}

/** Return how to look anew who is signed in. */
export function useLookAgain(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.resetQueries({ queryKey: serverQuery.queryKey });
}
