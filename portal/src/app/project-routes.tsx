/** The pages of one project. */
import { lazy, type ReactElement } from "react";
import { Redirect, Route, Switch } from "wouter";

import { useProject } from "#/api/projects.ts";
import type { Project } from "#/api/types.ts";
import { NotFound } from "#/app/not-found.tsx";
import { paths } from "#/app/paths.ts";
import { Shell } from "#/app/shell.tsx";
import { ImagesPage } from "#/features/images/images-page.tsx";
import { TrainButton } from "#/features/training/train-button.tsx";
import { Failure, Loading } from "#/ui/feedback.tsx";

export interface PageProps {
  project: Project;
}

const EditorPage = lazy(() => import("#/features/editor/editor-page.tsx"));
const LabelPage = lazy(() => import("#/features/labelling/label-page.tsx"));
const PerformancePage = lazy(() => import("#/features/performance/performance-page.tsx"));
const ExportButton = lazy(() => import("#/features/exports/export-button.tsx"));
const TestPage = lazy(() => import("#/features/test/test-page.tsx"));
const PredictionsPage = lazy(() => import("#/features/predictions/predictions-page.tsx"));
const PredictionPage = lazy(() => import("#/features/predictions/prediction-page.tsx"));
const SettingsPage = lazy(() => import("#/features/settings/settings-page.tsx"));

export function ProjectRoutes({ id }: { id: string }): ReactElement {
  const project = useProject(id);
  if (project.isPending) return <Loading />;
  if (project.isError) {
    return (
      <Shell>
        <Failure error={project.error} retry={() => void project.refetch()} />
      </Shell>
    );
  }
  const own = { project: project.data };
  return (
    <Shell project={project.data} actions={<TrainButton {...own} />}>
      <Switch>
        <Route path="/projects/:project">
          <Redirect to={paths.images(id)} replace />
        </Route>
        <Route path="/projects/:project/images">
          <ImagesPage {...own} />
        </Route>
        <Route path="/projects/:project/images/:image">{({ image }) => <EditorPage {...own} image={image} />}</Route>
        <Route path="/projects/:project/label">
          <LabelPage {...own} />
        </Route>
        <Route path="/projects/:project/performance/:iteration?">
          {({ iteration }) => (
            <PerformancePage
              {...own}
              iteration={iteration}
              exporter={(trained) => <ExportButton project={id} iteration={trained} />}
            />
          )}
        </Route>
        <Route path="/projects/:project/test">
          <TestPage {...own} />
        </Route>
        <Route path="/projects/:project/predictions">
          <PredictionsPage {...own} />
        </Route>
        <Route path="/projects/:project/predictions/:prediction">
          {({ prediction }) => <PredictionPage {...own} prediction={prediction} />}
        </Route>
        <Route path="/projects/:project/settings">
          <SettingsPage {...own} />
        </Route>
        <Route component={NotFound} />
      </Switch>
    </Shell>
  );
}
