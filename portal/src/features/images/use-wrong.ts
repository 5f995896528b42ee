/** The images that an iteration was most wrong about, for their red frame. */
import { useQuery } from "@tanstack/react-query";

import { get, OWN } from "#/api/client.ts";
import type { VerdictImages } from "#/api/types.ts";

const MOST = 256;
const NONE: ReadonlySet<string> = new Set();

export function useWrong(project: string, iteration: string | undefined): ReadonlySet<string> {
  const { data } = useQuery({
    queryKey: ["iterations", project, iteration, "wrong"],
    queryFn: () =>
      get<VerdictImages>(`${OWN}/projects/${project}/iterations/${iteration}/evaluation/images`, { wrong: true, take: MOST }),
    select: (found) => new Set(found.images.map((image) => image.id)),
    enabled: Boolean(iteration),
    staleTime: Infinity,
  });
  return data ?? NONE;
}
