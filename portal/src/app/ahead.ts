/** What the first page will ask for, asked for while it is not known yet who is signed in. */
import type { QueryClient } from "@tanstack/react-query";

import { countQuery, filterOf, pageQuery } from "#/api/images.ts";
import { projectQuery } from "#/api/projects.ts";
import { place } from "#/app/location.ts";
import { serverQuery } from "#/app/session.tsx";

const IMAGES = /^\/projects\/([^/]+)\/images$/;

export function askAhead(client: QueryClient): void {
  const [path, query] = place().split("?");
  void client.prefetchQuery(serverQuery);
  const project = IMAGES.exec(path ?? "")?.[1];
  if (!project) return;
  const filter = filterOf(new URLSearchParams(query));
  void client.prefetchQuery(projectQuery(project));
  void client.prefetchQuery(countQuery(project, filter));
  void client.prefetchQuery(pageQuery(project, filter, 0));
}
