/** What the newest completed iteration says of the image that is shown, if people want to see it. */
import { useLocalStorage } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";

import { completed, useIterations } from "#/api/iterations.ts";
import { suggest } from "#/api/regions.ts";
import type { Iteration, Prediction } from "#/api/types.ts";
import { useMay } from "#/app/session.tsx";

export interface Suggestions {
  /** Undefined as long as none is trained. */
  iteration: Iteration | undefined;
  wanted: boolean;
  want: (wanted: boolean) => void;
  threshold: number;
  setThreshold: (threshold: number) => void;
  predictions: readonly Prediction[] | undefined;
  pending: boolean;
  error: unknown;
}

const THRESHOLD = 0.5;

export function useSuggestions(project: string, image: string): Suggestions {
  const [wanted, want] = useLocalStorage({ key: "suggestions", defaultValue: true });
  const [threshold, setThreshold] = useLocalStorage({ key: "suggestions-threshold", defaultValue: THRESHOLD });
  const may = useMay("label");
  const [iteration] = completed(useIterations(project).data);
  const asked = useQuery({
    queryKey: ["suggestions", project, iteration?.id, image],
    queryFn: async () => (await suggest(project, iteration?.id ?? "", [image]))[0]?.predictions ?? [],
    enabled: wanted && may && Boolean(iteration),
    staleTime: Infinity,
    retry: false,
  });
  return {
    iteration: may ? iteration : undefined,
    wanted,
    want,
    threshold,
    setThreshold,
    predictions: wanted ? asked.data : undefined,
    pending: asked.isFetching,
    error: asked.error,
  };
}
