/** The pages of the portal by their places. Projects and images, where most begin, come at once; each other when it is opened. */
import { lazy, type ReactElement, Suspense } from "react";
import { Route, Router, Switch } from "wouter";

import { usePath } from "#/app/location.ts";
import { NotFound } from "#/app/not-found.tsx";
import { ProjectRoutes } from "#/app/project-routes.tsx";
import { Session } from "#/app/session.tsx";
import { Shell } from "#/app/shell.tsx";
import { ProjectsPage } from "#/features/projects/projects-page.tsx";
import { Loading } from "#/ui/feedback.tsx";
import { later } from "#/ui/later.tsx";

const SignIn = later(() => import("#/features/session/sign-in.tsx"));
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
