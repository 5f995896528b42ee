/** Starts the portal in its page. */
import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "#/app/portal.css";

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";

import { ApiError } from "#/api/client.ts";
import { askAhead } from "#/app/ahead.ts";
import { App } from "#/app/app.tsx";
import { Boundary } from "#/app/boundary.tsx";
import { Messages } from "#/app/messages.tsx";
import { theme } from "#/app/theme.ts";
import { Hints } from "#/ui/hints.tsx";

// What may run in the page carries the nonce that came with it; styles that libraries add need it too.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
setNonce(nonce);

// A tab that was open while the server was upgraded asks for files of the old version: begin anew, once.
addEventListener("vite:preloadError", () => {
  if (Date.now() - Number(sessionStorage.getItem("reloaded") ?? 0) < 10_000) return;
  sessionStorage.setItem("reloaded", String(Date.now()));
  location.reload();
});

const client = new QueryClient({
  defaultOptions: {
    // The server may be on this computer, or near: whether there is an internet says nothing of it.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      staleTime: 5_000,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

// A build loads the styles of each component with it (vite.config.ts); while developing, all come at once.
if (import.meta.env.DEV) await import("@mantine/core/styles.css");

askAhead(client);

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={client}>
        <Messages />
        <Hints />
        <Boundary>
          <App />
        </Boundary>
      </QueryClientProvider>
    </MantineProvider>,
  );
}
