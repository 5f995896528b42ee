import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// `npm run dev` speaks to a server of your own: start `foveal serve`, then open the link it prints on Vite's port.
const server = "http://127.0.0.1:8350";

/** Loads the styles of each of Mantine's components with the component, so that a page brings those of its own only. */
function stylesOfComponents(): Plugin {
  const classes = /@mantine\/core\/esm\/.*\/(\w+)\.module\.mjs$/;
  return {
    name: "styles-of-components",
    apply: "build",
    transform(code, id) {
      const component = classes.exec(id)?.[1];
      return component && { code: `import "@mantine/core/styles/${component}.css";\n${code}`, moduleSideEffects: true };
    },
  };
}

export default defineConfig({
  // Relative, so that one build runs below any path.
  base: "./",
  plugins: [react(), stylesOfComponents()],
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    license: { fileName: "third-party-licenses.md" },
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What the first page shows is one file, not a dozen of those that other pages show as well.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } } },
  },
  server: { proxy: { "/api": server, "/customvision": server, "/files": server } },
});
