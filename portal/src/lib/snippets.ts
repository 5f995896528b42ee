/** Programs that ask a published model, ready to be copied. */

export interface Target {
  endpoint: string;
  project: string;
  name: string;
  /** The prediction key, or what stands in its place. */
  key: string;
  detection: boolean;
  /** Whether the picture is named by its address instead of being sent. */
  byUrl: boolean;
}

export const KEY_HEADER = "Prediction-Key";
const PICTURE = "https://example.com/photo.jpg";

/** Where to send pictures. */
export function address(target: Target): string {
  const verb = target.detection ? "detect" : "classify";
  const name = encodeURIComponent(target.name);
  const last = target.byUrl ? "url" : "image";
  return `${target.endpoint}/customvision/v3.1/prediction/${target.project}/${verb}/iterations/${name}/${last}`;
}

export function curl(target: Target): string {
  const lines = [`curl -X POST ${shell(address(target))}`, `-H ${shell(`${KEY_HEADER}: ${target.key}`)}`];
  if (target.byUrl) {
    lines.push(`-H ${shell("Content-Type: application/json")}`, `-d ${shell(JSON.stringify({ url: PICTURE }))}`);
  } else {
    lines.push(`-H ${shell("Content-Type: application/octet-stream")}`, `--data-binary @photo.jpg`);
  }
  return lines.join(" \\\n  ");
}

export function python(target: Target): string {
  const verb = target.detection ? "detect" : "classify";
  const call = target.byUrl ? `${verb}_image_url` : `${verb}_image`;
  const ask = `client.${call}(${quoted(target.project)}, ${quoted(target.name)}, `;
  const box = target.detection ? ", prediction.bounding_box" : "";
  return [
    "# pip install azure-cognitiveservices-vision-customvision",
    "from azure.cognitiveservices.vision.customvision.prediction import CustomVisionPredictionClient",
    "from msrest.authentication import ApiKeyCredentials",
    "",
    `credentials = ApiKeyCredentials(in_headers={${quoted(KEY_HEADER)}: ${quoted(target.key)}})`,
    `client = CustomVisionPredictionClient(${quoted(target.endpoint)}, credentials)`,
    ...(target.byUrl
      ? [`answer = ${ask}${quoted(PICTURE)})`]
      : [`with open("photo.jpg", "rb") as photo:`, `    answer = ${ask}photo)`]),
    "for prediction in answer.predictions:",
    `    print(f"{prediction.tag_name}: {prediction.probability:.1%}"${box})`,
  ].join("\n");
}

export function javascript(target: Target): string {
  const type = target.byUrl ? "application/json" : "application/octet-stream";
  const body = target.byUrl ? `JSON.stringify({ url: ${quoted(PICTURE)} })` : "photo";
  return [
    ...(target.byUrl ? [] : [`const photo = document.querySelector("input[type=file]").files[0];`]),
    `const response = await fetch(${quoted(address(target))}, {`,
    `  method: "POST",`,
    `  headers: { ${quoted(KEY_HEADER)}: ${quoted(target.key)}, "Content-Type": ${quoted(type)} },`,
    `  body: ${body},`,
    `});`,
    `const { predictions } = await response.json();`,
    `console.log(predictions[0].tagName, predictions[0].probability);`,
  ].join("\n");
}

/** A word of a shell, whatever characters it has. */
const shell = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A text of Python and of JavaScript alike. */
const quoted = (text: string): string => JSON.stringify(text);
