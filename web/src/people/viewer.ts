/** Who is using the page: a person, a guest, or nobody yet on a closed server. */
import { computed, signal } from "@preact/signals";
import { client, uncached } from "../api/client";
import { MAY_READ, VIEWER } from "../api/documents";
import { problemOf, refused, type Problem } from "../api/problems";
import type { Refusal, Viewer } from "../api/types";

export const viewer = signal<Viewer | null>(null);

/** `waiting` until the server has said who is asking; `closed`: nothing can be seen without a login. */
export const access = signal<"waiting" | "open" | "closed">("waiting");

export const isPerson = computed(() => viewer.value !== null);
export const hasSiteAccount = computed(() => viewer.value?.siteAccount?.state === "CONNECTED");

/** Ask who is asking. While the server can't be reached the page is shown as to a guest. */
export async function loadViewer(): Promise<void> {
  const answer = await client.query<{ viewer: Viewer | null }>(VIEWER, {}, { requestPolicy: "network-only" }).toPromise();
  viewer.value = answer.data?.viewer ?? null;
  if (viewer.value !== null) {
    access.value = "open";
    return;
  }
  const { error } = await client.query(MAY_READ, {}, { requestPolicy: "network-only" }).toPromise();
  access.value = error && problemOf(error).code === "UNAUTHENTICATED" ? "closed" : "open";
}

/** Run a mutation whose only field is `result`: its problem, or null with the result in `onDone`. */
export async function change<Result extends { __typename: string }>(
  document: string,
  variables: Record<string, unknown>,
  onDone: (result: Result) => void = () => undefined,
): Promise<Problem | null> {
  const { data, error } = await uncached.mutation<{ result: Result | Refusal }>(document, variables).toPromise();
  if (error) return problemOf(error);
  const result = data?.result;
  if (result && "code" in result) return refused(result);
  onDone(result as Result);
  return null;
}

/** Begin anew as somebody else: nothing of the one before stays in the page. */
export function restart(): void {
  location.reload();
}
