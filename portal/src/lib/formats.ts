/** Export formats by what they are for, and what their certificates say. */

export const GROUPS = [
  ["android", ["tflite", "tflite-fp16", "tflite-int8"]],
  ["iphone", ["coreml", "coreml-fp16", "coreml-package"]],
  ["browser", ["tfjs"]],
  ["windows", ["onnx", "onnx-fp16", "onnx-int8", "onnx-12", "onnx-10"]],
  ["container", ["docker-linux", "docker-arm", "docker-windows", "docker"]],
  ["intel", ["openvino", "openvino-fp16", "openvino-raw"]],
  ["tensorflow", ["saved-model", "tensorflow", "tensorflow-normal"]],
  ["foveal", ["bundle"]],
] as const;

export type Group = (typeof GROUPS)[number][0] | "other";

/** The formats of each group in their order; what this page does not know comes last. */
export function grouped<T extends { name: string }>(formats: readonly T[]): [Group, T[]][] {
  const left = new Map(formats.map((each) => [each.name, each]));
  const made: [Group, T[]][] = [];
  for (const [group, names] of GROUPS) {
    const members = names.flatMap((name) => {
      const found = left.get(name);
      left.delete(name);
      return found ? [found] : [];
    });
    if (members.length) made.push([group, members]);
  }
  if (left.size) made.push(["other", [...left.values()]]);
  return made;
}

interface Kind {
  platform: string;
  flavor: string | null;
}

export const same = (one: Kind, other: Kind): boolean =>
  one.platform === other.platform && (one.flavor ?? "") === (other.flavor ?? "");

export interface Certificate {
  agreement: number;
  photos: number;
  /** Of probabilities, and of edges of boxes where there are any. */
  largest: number;
  tolerance: number;
  /** Whether the tolerance is of the agreement instead of the difference. */
  byAgreement: boolean;
  /** How long one photo took where the export was written; null where the runtime is not at hand there. */
  milliseconds: number | null;
}

/** Read a certificate; null where there is none. */
export function certificate(parity: Record<string, unknown> | null): Certificate | null {
  if (!parity) return null;
  const number = (name: string): number => (typeof parity[name] === "number" ? parity[name] : 0);
  const precision = String(parity["precision"] ?? "");
  return {
    agreement: number("agreement"),
    photos: number("photos"),
    largest: Math.max(number("largest_difference"), number("largest_box_difference")),
    tolerance: number("tolerance"),
    byAgreement: precision.startsWith("int8"),
    milliseconds: number("milliseconds") || null,
  };
}

/** A tiny share in words that a reader can compare: 0, 0.0004 or 3e-7. */
export function tiny(value: number): string {
  if (value === 0) return "0";
  return value < 1e-4 ? value.toExponential(0) : String(Number(value.toPrecision(1)));
}
