/** Colours and sizes of the portal, with the contrast that WCAG AA asks for in light and dark. */
import { ActionIcon, createTheme, Drawer, Modal, Slider, Tooltip } from "@mantine/core";

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
  luminanceThreshold: 0.2,
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" }, centered: true } }),
    Drawer: Drawer.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    Slider: Slider.extend({ defaultProps: { label: null } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 300 } }),
  },
});
