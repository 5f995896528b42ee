/** Calls to the server that this page came from; what it refuses becomes an `ApiError` in its own words. */

export const TRAINING = "customvision/v3.4-preview/training";
export const OWN = "api/v1";

type Value = string | number | boolean | undefined | null;
export type Query = Record<string, Value | readonly string[]>;

export interface Options {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is: a form, or a picture. */
  body?: FormData | Blob;
  signal?: AbortSignal | undefined;
}

export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Call the server; an answer without content gives undefined. */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { "X-Foveal-Portal": "1" };
  let body: BodyInit | undefined = options.body;
  if (options.json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.json);
  } else if (body instanceof Blob) {
    headers["Content-Type"] = "application/octet-stream";
  }
  const response = await reached(path + written(options.query), { method, headers, body, signal: options.signal, keepalive: method === "DELETE" });
  const text = await response.text();
  if (!response.ok) throw refusal(text, response.status);
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  call<T>("GET", path, { query, signal } as Options);

/** A link to a blob, on the address by which this page reaches the server, whatever the server calls itself. */
export function near(uri: string): string {
  const at = uri.indexOf("/files/");
  return at < 0 ? uri : uri.slice(at + 1);
}

function written(query: Query = {}): string {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
    made.set(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = made.toString();
  return text && `?${text}`;
}

async function reached(url: string, init: object): Promise<Response> {
  try {
    return await fetch(url, init as RequestInit);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("Unreachable", "The server does not answer. Is it running, and is this computer connected?", 0);
  }
}

function refusal(text: string, status: number): ApiError {
  try {
    const { code, message } = JSON.parse(text) as { code: string; message: string };
    return new ApiError(code, message, status);
  } catch {
    return new ApiError("ErrorUnknown", `The server answered with status ${status} and no reason.`, status);
  }
}
