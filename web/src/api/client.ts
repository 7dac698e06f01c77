/** The GraphQL client: normalising cache, HTTP for queries and mutations, one WebSocket for subscriptions. */
import { Client, fetchExchange, mapExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { signal } from "@preact/signals";
import { createClient } from "graphql-ws";
import { storedSignal } from "../stored";
import { baseUrl } from "./addresses";

/** API key for what changes state, where the server requires one; "" for none. */
export const apiKey = storedSignal("key", "");

/** GitHub's token of who edits the tag database from this browser; "" for none. */
export const githubToken = storedSignal("github", "");

/** False while the socket reconnects. */
export const live = signal(true);

const endpoint = new URL("graphql", baseUrl()).href;

export const socket = createClient({
  url: endpoint.replace(/^http/, "ws"),
  lazy: true,
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(8000, 300 * 2 ** retries))),
  connectionParams: () => (apiKey.value ? { apiKey: apiKey.value } : {}),
  on: {
    connected: () => (live.value = true),
    closed: () => (live.value = false),
  },
});

const withoutKey = (): null => null;
const EMBEDDED = [
  "AlbumPage", "AlbumTag", "Comment", "CommentPage", "Commit", "Cover", "DownloadConnection", "DownloadEdge",
  "DownloadFeedBatch", "FrequentTag", "DownloadFile", "DownloadProblem", "DownloadProgress", "EhTagDatabase", "NamespaceInfo", "Page",
  "PageInfo", "KnownAlbum", "Ranking", "RankingEntry", "ServerInfo", "TagConnection", "TagEdge", "UpstreamHost", "UpstreamInfo",
  "AlbumNotFound", "DownloadNotFound", "InvalidInput", "BlockedByPolicy", "QueueRejected", "UpstreamFailure",
  "RemovedDownload", "Viewer", "SiteAccount", "ReadingProgress", "ReadingConnection", "LibraryEntry", "LibraryConnection", "NotificationSettings",
];

/** The API key as a header, where there is one. */
export function keyHeader(): Record<string, string> {
  return apiKey.value ? { "X-API-Key": apiKey.value } : {};
}

const options = {
  url: endpoint,
  preferGetMethod: false,
  fetchOptions: () => ({ headers: keyHeader() }),
};

/** How often the server has said that a login is needed: the session may have ended. */
export const unauthenticatedCount = signal(0);

const countUnauthenticated = mapExchange({
  onError: ({ graphQLErrors }) => {
    if (graphQLErrors.some(({ extensions }) => extensions["code"] === "UNAUTHENTICATED")) unauthenticatedCount.value += 1;
  },
});

/** Without the cache, which can't tell which errors are members of an interface: its answers are as the server sent them. */
export const uncached = new Client({ ...options, exchanges: [countUnauthenticated, fetchExchange] });

export const client = new Client({
  ...options,
  exchanges: [
    countUnauthenticated,
    cacheExchange({ keys: Object.fromEntries(EMBEDDED.map((name) => [name, withoutKey])) }),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({
          unsubscribe: socket.subscribe(
            { query: query ?? "", variables: variables as Record<string, unknown> },
            {
              next: ({ data, errors }) => sink.next({ data: data ?? null, ...(errors ? { errors: [...errors] } : {}) }),
              error: (error) => sink.error(error),
              complete: () => sink.complete(),
            },
          ),
        }),
      }),
    }),
  ],
});
