/** The gallery of projects, and making one. */
export const projects = {
  title: "Projects",
  search: "Find a project",
  none: "Your first project starts here",
  teach:
    "A project holds photos, their tags, and the models you train from them. Ask one question per project: “Is this part scratched?”, “Which fruit is it?”, “Where are the screws?”",
  noMatch: (what: string) => `No project is called “${what}”.`,
  new: "New project",
  import: "Import a project",
  type: { Classification: "Classification", ObjectDetection: "Object detection" } as Record<string, string>,
  kind: { Multiclass: "one tag per image", Multilabel: "several tags per image" } as Record<string, string>,
  changed: (when: string) => `Changed ${when}`,
  importing: "Import runs",
  importFailed: "Import failed",
  create: {
    title: "New project",
    name: "Name",
    description: "Description",
    typeLabel: "What should it do?",
    types: [
      ["Classification", "Sort images", "The whole image gets a tag: good or scratched, apple or pear."],
      ["ObjectDetection", "Find things in images", "Boxes around each thing: where it is, and how many there are."],
    ] as [string, string, string][],
    kindLabel: "How many tags may an image have?",
    kinds: [
      ["Multiclass", "Exactly one", "Each image is one of the tags. The probabilities add up to 1."],
      ["Multilabel", "Any number", "An image may show several things, or none of them."],
    ] as [string, string, string][],
    domain: "What kind of images?",
    domainHint: {
      General: "For most images. Start here.",
      Food: "Dishes and ingredients.",
      Landmarks: "Buildings and places, also partly hidden.",
      Retail: "Products on shelves and in shops.",
      Logo: "Brand signs in photos.",
      Products: "Products on shelves.",
      compact: "A smaller and faster model for phones and small computers.",
    } as Record<string, string>,
    exportLabel: "Export",
    exportHint:
      "Every domain can be exported to phones, browsers and small computers. Compact ones are about a quarter of the size.",
    noTorch:
      "Detectors are trained with torch, which is not installed where this server runs: its operator can add it with pip install \"foveal[train]\".",
    done: (name: string) => `${name} was made`,
  },
  importDialog: {
    title: "Import a project",
    token: "Token",
    tokenHint:
      "On the other server, open the project’s settings and choose “Copy to another server”. The token is valid for 24 hours. Images, tags, boxes and trained iterations come along.",
    name: "Name here",
    nameHint: "Leave it empty to keep the name.",
    start: "Import",
    begun: "The import has begun. The project appears here and fills up.",
  },
} as const;
