/** State of the server: `/readyz` and `server` of GraphQL, read on load, every minute, and often while shown. */
import { computed, signal } from "@preact/signals";
import { baseUrl } from "../api/addresses";
import { client } from "../api/client";
import { EHTAG, SERVER } from "../api/documents";
import type { EhTag, Server } from "../api/types";

export interface Check {
  status: "ok" | "down";
  latencyMs?: number;
  reason?: string;
  freeBytes?: number;
}

export interface Health {
  status: "ready" | "degraded" | "unavailable";
  checks: Record<string, Check>;
}

export const health = signal<Health | null>(null);
export const server = signal<Server | null>(null);
export const database = signal<EhTag | null>(null);
export const isReachable = signal(true);

export const serverStatus = computed<"good" | "degraded" | "down">(() => {
  if (!isReachable.value) return "down";
  return health.value && health.value.status !== "ready" ? "degraded" : "good";
});

export async function refreshHealth(): Promise<void> {
  try {
    const answer = await fetch(new URL("readyz", baseUrl()), { cache: "no-store" });
    health.value = (await answer.json()) as Health;
    isReachable.value = true;
  } catch {
    isReachable.value = false; // no answer, or one that is not from jmgraph: both mean that the server is not reachable
    return;
  }
  const options = { requestPolicy: "network-only" } as const;
  const [state, tags] = await Promise.all([
    client.query<{ server: Server }>(SERVER, {}, options).toPromise(),
    client.query<{ ehtag: EhTag }>(EHTAG, {}, options).toPromise(),
  ]);
  server.value = state.data?.server ?? server.value;
  database.value = tags.data?.ehtag ?? database.value;
}
