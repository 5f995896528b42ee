/** Help for labelling: the assistant that learns with each tag, and the Smart Labeler that asks a trained iteration. */
import { SegmentedControl, Title } from "@mantine/core";
import type { ReactElement } from "react";

import { DETECTION, useDomains } from "#/api/projects.ts";
import { useQueryValues } from "#/app/location.ts";
import type { PageProps } from "#/app/project-routes.tsx";
import { Assistant } from "#/features/labelling/assistant.tsx";
import { SmartLabeler } from "#/features/labelling/smart-labeler.tsx";
import { text } from "#/text/index.ts";
import { Loading } from "#/ui/feedback.tsx";

import classes from "./labelling.module.css";

export default function LabelPage({ project }: PageProps): ReactElement {
  const [values, change] = useQueryValues();
  const domains = useDomains().data;
  const detection = domains?.find((each) => each.id === project.settings.domainId)?.type === DETECTION;
  const kind = detection ? "smart" : values.get("kind") || "assistant";
  return (
    <div className={classes.page}>
      <div className={classes.head}>
        <Title order={1} size="h2">
          {text.labelling.title}
        </Title>
        {!detection && (
          <SegmentedControl
            aria-label={text.labelling.kinds}
            value={kind}
            onChange={(next) => change({ kind: next })}
            data={[
              { value: "assistant", label: text.labelling.assistant },
              { value: "smart", label: text.labelling.smart },
            ]}
          />
        )}
      </div>
      {!domains ? <Loading /> : kind === "smart" ? <SmartLabeler project={project} detection={detection} /> : <Assistant project={project} />}
    </div>
  );
}
