/** Colours and sizes of the portal, with the contrast that WCAG AA asks for in light and dark. */
import { createTheme } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: 7,
  colors: {
    sea: [
      "#e6f5f2",
      "#c9e8e2",
      "#a3d6cd",
      "#76c1b4",
      "#4fab9c",
      "#2f9484",
      "#13705f",
      "#0d6557",
      "#07574b",
      "#04453b",
    ],
  },
  autoContrast: true,
  respectReducedMotion: true,
  luminanceThreshold: 0.2,
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  // Not by the components' own `extend`: that would load all of them with the first page.
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Modal: { defaultProps: { closeButtonProps: { "aria-label": "Close" }, centered: true } },
    Slider: { defaultProps: { label: null } },
  },
});
