/** Numbers, sizes and moments as people read them. */

/** A share 0..1 in per cent, to one digit where it matters. */
export function percent(value: number, digits = 1): string {
  return `${(value * 100).toFixed(digits)} %`;
}

/** With a comma between thousands; by hand, as the browser's own takes 30 ms to be ready on the first page. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function bytes(value: number): string {
  if (value < 1_000_000) return `${Math.max(1, Math.round(value / 1000))} kB`;
  return `${(value / 1_000_000).toFixed(1)} MB`;
}

/** How long something took or will take, in the two greatest units. */
export function duration(seconds: number): string {
  if (seconds < 60) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment of the server (UTC, with or without a zone) as a date. */
export function moment(written: string): Date {
  return new Date(/[Zz]|[+-]\d\d:\d\d$/.test(written) ? written : `${written}Z`);
}

export function ago(written: string, now = Date.now()): string {
  const seconds = Math.round((moment(written).getTime() - now) / 1000);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

export function date(written: string): string {
  return moment(written).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
}
