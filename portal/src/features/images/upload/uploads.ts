/** Uploads: files sent in batches, what became of each, one at a time for a project; they go on while pages change. */
import { sendImages } from "#/api/images.ts";
import { fitting } from "#/lib/shrink.ts";

export type Fate = "waiting" | "sending" | "added" | "duplicate" | "refused" | "failed";

export interface Item {
  readonly file: File;
  readonly tags: readonly string[];
  fate: Fate;
  /** The server's status, or what failed. */
  why: string;
  shrunk: boolean;
}

export interface Upload {
  readonly project: string;
  readonly items: readonly Item[];
  readonly running: boolean;
  readonly stopped: boolean;
}

const BATCH_FILES = 16;
const BATCH_BYTES = 24_000_000;
const SENDERS = 2;

let uploads: readonly Upload[] = [];
const stops = new Map<string, AbortController>();
const heard = new Set<() => void>();

export const subscribe = (listener: () => void): (() => void) => {
  heard.add(listener);
  return () => heard.delete(listener);
};
export const uploadOf = (project: string): Upload | undefined => uploads.find((each) => each.project === project);

/** Begin to send files, each with its tags; `changed` is called after each batch. */
export function begin(project: string, files: readonly { file: File; tags: string[] }[], changed: () => void): void {
  const items = files.map(({ file, tags }): Item => ({ file, tags, fate: "waiting", why: "", shrunk: false }));
  void run(project, items, changed);
}

/** Send again what was not sent. */
export function again(project: string, changed: () => void): void {
  const upload = uploadOf(project);
  if (!upload || upload.running) return;
  for (const item of upload.items) if (item.fate === "failed") Object.assign(item, { fate: "waiting", why: "" });
  void run(project, upload.items, changed);
}

export function stop(project: string): void {
  stops.get(project)?.abort();
}

export function forget(project: string): void {
  uploads = uploads.filter((each) => each.project !== project);
  tell();
}

async function run(project: string, items: readonly Item[], changed: () => void): Promise<void> {
  const control = new AbortController();
  stops.set(project, control);
  const set = (running: boolean): void => {
    const stopped = control.signal.aborted;
    uploads = [...uploads.filter((each) => each.project !== project), { project, items, running, stopped }];
    tell();
  };
  const batches = batched(items.filter((item) => item.fate === "waiting"));
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch && !control.signal.aborted; batch = batches.shift()) {
      for (const item of batch) item.fate = "sending";
      set(true);
      await send(project, batch, control.signal);
      set(true);
      changed();
    }
  };
  addEventListener("beforeunload", warn);
  await Promise.all(Array.from({ length: SENDERS }, work));
  if (!uploads.some((each) => each.running && each.project !== project)) removeEventListener("beforeunload", warn);
  stops.delete(project);
  set(false);
}

async function send(project: string, batch: readonly Item[], signal: AbortSignal): Promise<void> {
  try {
    const files: File[] = [];
    for (const item of batch) {
      const picture = await fitting(item.file);
      item.shrunk = picture !== item.file;
      files.push(new File([picture], item.file.name, { type: picture.type }));
    }
    const summary = await sendImages(project, files, batch[0]?.tags ?? [], signal);
    batch.forEach((item, at) => {
      const status = summary.images[at]?.status ?? "ErrorUnknown";
      item.why = status;
      item.fate = status === "OK" ? "added" : status === "OKDuplicate" ? "duplicate" : "refused";
    });
  } catch (error) {
    const fate: Fate = signal.aborted ? "waiting" : "failed";
    for (const item of batch) Object.assign(item, { fate, why: error instanceof Error ? error.message : String(error) });
  }
}

/** Files of the same tags together, at most so many files and bytes. */
export function batched(items: readonly Item[]): Item[][] {
  const made: Item[][] = [];
  for (const alike of Map.groupBy(items, (item) => item.tags.join()).values()) {
    let batch: Item[] = [];
    let bytes = 0;
    for (const item of alike) {
      if (batch.length && (batch.length >= BATCH_FILES || bytes + item.file.size > BATCH_BYTES)) {
        made.push(batch);
        [batch, bytes] = [[], 0];
      }
      batch.push(item);
      bytes += item.file.size;
    }
    if (batch.length) made.push(batch);
  }
  return made;
}

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function tell(): void {
  for (const listener of heard) listener();
}
