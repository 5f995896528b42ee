import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` speaks to a server of your own: start `foveal serve`, then open the link it prints on Vite's port.
const server = "http://127.0.0.1:8350";

export default defineConfig({
  // Relative, so that one build runs below any path.
  base: "./",
  plugins: [react()],
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    license: { fileName: "third-party-licenses.md" },
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": server, "/customvision": server, "/files": server } },
});
