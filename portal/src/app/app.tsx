/** The pages of the portal by their places; each but the first is loaded when it is opened. */
import { Center, Stack, Text, Title } from "@mantine/core";
import { lazy, type ReactElement, Suspense } from "react";
import { Route, Router, Switch } from "wouter";

import { usePath } from "#/app/location.ts";
import { Session } from "#/app/session.tsx";
import { Shell } from "#/app/shell.tsx";
import { ProjectsPage } from "#/features/projects/projects-page.tsx";
import { SignIn } from "#/features/session/sign-in.tsx";
import { text } from "#/text/index.ts";
import { Loading } from "#/ui/feedback.tsx";

const ProjectRoutes = lazy(() => import("#/app/project-routes.tsx"));
const AccountPage = lazy(() => import("#/features/settings/account-page.tsx"));

export function App(): ReactElement {
  return (
    <Router hook={usePath} hrefs={(path) => `#${path}`}>
      <Switch>
        <Route path="/sign-in" component={SignIn} />
        <Route>
          <Session otherwise={<SignIn />}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/" component={ProjectsPage} />
                <Route path="/account" component={AccountPage} />
                <Route path="/projects/:project/*?">{({ project }) => <ProjectRoutes id={project} />}</Route>
                <Route>
                  <Shell>
                    <NotFound />
                  </Shell>
                </Route>
              </Switch>
            </Suspense>
          </Session>
        </Route>
      </Switch>
    </Router>
  );
}

/** What a page shows at a place that does not exist. */
export function NotFound(): ReactElement {
  return (
    <Center mih="50dvh">
      <Stack align="center">
        <Title order={1} size="h3">
          {text.common.notFound}
        </Title>
        <Text>{text.common.notFoundHint}</Text>
      </Stack>
    </Center>
  );
}
