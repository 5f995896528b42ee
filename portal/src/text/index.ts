/** Every text of the portal, in one place for translation: a language is one folder like `en`. */
import { canvas } from "./en/canvas.ts";
import { common } from "./en/common.ts";
import { editor } from "./en/editor.ts";
import { exports } from "./en/exports.ts";
import { images } from "./en/images.ts";
import { labelling } from "./en/labelling.ts";
import { performance } from "./en/performance.ts";
import { predictions } from "./en/predictions.ts";
import { projects } from "./en/projects.ts";
import { session } from "./en/session.ts";
import { settings } from "./en/settings.ts";
import { test } from "./en/test.ts";
import { training } from "./en/training.ts";

export const text = {
  canvas,
  common,
  editor,
  exports,
  images,
  labelling,
  performance,
  predictions,
  projects,
  session,
  settings,
  test,
  training,
} as const;
