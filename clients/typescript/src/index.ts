/** A client of jmgraph: queries and mutations over HTTP, subscriptions over WebSocket or server-sent events. */
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";

export * from "./generated/graphql.js";

export interface ClientOptions {
  /** Address of the server without a final slash: "http://127.0.0.1:11111", or with a sub-path. */
  url: string;
  /** A session's or an access token ("jmg_…"); read before each request. Without one: a guest, or the browser's cookie. */
  token?: () => string | undefined;
  /** How subscriptions travel. "sse" is one stream for all of them; take it where WebSockets are blocked. */
  transport?: "websocket" | "sse";
  /** The WebSocket class, where the platform has none (Node before 22). */
  webSocketImpl?: unknown;
}

/** An error of the request itself; refusals that are part of an answer are members of its union instead. */
export class JmgraphError extends Error {
  constructor(
    message: string,
    /** "UPSTREAM_UNAVAILABLE": `ErrorCode` of the schema, or one of the transport's; see docs/graphql.md. */
    readonly code: string,
    readonly retryable: boolean,
    /** Seconds, where the server knows. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

export interface Client {
  /** The data of a query or mutation. Throws `JmgraphError` for the first error, `TypeError` without a connection. */
  execute<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;
  /** The data of each event, until the subscription completes; leaving the loop ends it. */
  subscribe<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): AsyncIterable<Data>;
  /** Ends the connections that subscriptions use. */
  dispose(): void;
}

interface Result {
  data?: unknown;
  errors?: readonly { message: string; extensions?: Record<string, unknown> }[] | null;
}

/** A client of one server. Nothing connects before the first call. */
export function createClient(options: ClientOptions): Client {
  const url = `${options.url}/graphql`;
  const token = () => options.token?.();
  const authorization = (): Record<string, string> => {
    const given = token();
    return given === undefined ? {} : { Authorization: `Bearer ${given}` };
  };
  const live =
    options.transport === "sse"
      ? createSseClient({ url, headers: authorization, singleConnection: true, lazyCloseTimeout: 1000 })
      : createSocketClient({
          url: url.replace(/^http/, "ws"),
          webSocketImpl: options.webSocketImpl,
          connectionParams: () => (token() === undefined ? {} : { token: token() }),
        });

  return {
    async execute(document, variables) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json", ...authorization() },
        body: JSON.stringify({ query: print(document), variables }),
      });
      return dataOf((await response.json()) as Result);
    },
    async *subscribe<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables) {
      const operation = { query: print(document), variables: variables as Record<string, unknown> };
      for await (const result of live.iterate(operation)) yield dataOf<Data>(result as Result);
    },
    dispose: () => void live.dispose(),
  };
}

function dataOf<Data>(result: Result): Data {
  const error = result.errors?.[0];
  if (!error) return result.data as Data;
  const { code, retryable, retryAfter } = error.extensions ?? {};
  throw new JmgraphError(
    error.message,
    typeof code === "string" ? code : "INTERNAL",
    retryable === true,
    typeof retryAfter === "number" ? retryAfter : undefined,
  );
}
