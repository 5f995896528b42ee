/** Small drawings, 24 units wide, in the colour of the text; they say nothing to screen readers. */
import type { CSSProperties, ReactElement } from "react";

const SHAPES = {
  add: "M12 5v14M5 12h14",
  arrowLeft: "M19 12H5m6-6-6 6 6 6",
  arrowRight: "M5 12h14m-6-6 6 6-6 6",
  box: "M4 6h16v12H4zM4 6h.01M20 6h.01M4 18h.01M20 18h.01",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 17a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
  chart: "M4 4v16h16M8 16v-4M12 16V8M16 16v-7",
  check: "m5 12 5 5 9-10",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  download: "M12 4v11m-5-4 5 5 5-5M4 20h16",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  filter: "M4 5h16l-6 8v6l-4-2v-4z",
  help: "M9 9a3 3 0 1 1 4 2.8c-.7.3-1 1-1 1.7M12 17h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18",
  images: "M4 4h13v13H4zM8 20h12V8M4 14l4-4 5 5",
  key: "M14 14a5 5 0 1 0-4.6-3L4 16.500V20h4v-2h2v-2h1.500zM15.500 8.500h.01",
  moon: "M19 14.500A8 8 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  play: "M7 5v14l12-7z",
  publish: "M12 16V5m-5 5 5-5 5 5M4 20h16",
  redo: "m16 5 4 4-4 4M20 9H10a5.500 5.500 0 0 0 0 11h4",
  refresh: "M19 8a8 8 0 1 0 1 6M20 4v4h-4",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4M9 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  signOut: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  sparkle: "M12 4l1.800 5.200L19 11l-5.200 1.800L12 18l-1.800-5.200L5 11l5.200-1.800zM19 17v4M17 19h4",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500 19 19M19 5l-1.500 1.500M6.500 17.500 5 19",
  tag: "M4 4h8l8 8-8 8-8-8zM8.500 8.500h.01",
  test: "M9 3h6M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M7.500 15h9",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6",
  undo: "M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11h-4",
  upload: "M12 16V5m-5 5 5-5 5 5M4 16v4h16v-4",
  warning: "M12 4 2.500 20h19zM12 10v4M12 17h.01",
  zoomIn: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M15.500 15.500 20 20M10.500 8v5M8 10.500h5",
  zoomOut: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M15.500 15.500 20 20M8 10.500h5",
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name, size = 18, style }: { name: IconName; size?: number; style?: CSSProperties }): ReactElement {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      style={{ flex: "none", ...style }}
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}
