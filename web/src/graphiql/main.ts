/** GraphiQL with editor, workers, explorer and sockets. Nothing is loaded from other servers. */
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./graphiql.css";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createClient } from "graphql-ws";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { documentOf, operationNameOf } from "./operation";
import { WhenReady } from "./ready";
import { TABS } from "./tabs";

const url = new URL("graphql", new URL("./", document.baseURI)).href;
const send = createGraphiQLFetcher({ url, wsClient: createClient({ url: url.replace(/^http/, "ws") }) });
const fetcher: Fetcher = (params, options) => {
  const document = documentOf(params.query);
  if (!document) return send(params, options);
  return send({ ...params, operationName: operationNameOf(document, params.operationName) ?? null }, { ...options, documentAST: document });
};
const container = document.getElementById("graphiql");

if (container) {
  createRoot(container).render(
    createElement(
      GraphiQL,
      {
        fetcher,
        defaultTabs: TABS,
        plugins: [HISTORY_PLUGIN, explorerPlugin()],
        shouldPersistHeaders: false,
        isHeadersEditorEnabled: true,
      },
      createElement(WhenReady, { container }),
    ),
  );
}
