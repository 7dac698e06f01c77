/** Who is using the page: a person, a guest, or nobody yet on a closed server. */
import { computed, effect, signal } from "@preact/signals";
import type { CombinedError } from "@urql/core";
import { keyHeader, unauthenticatedCount, uncached } from "../api/client";
import { MAY_READ, VIEWER } from "../api/documents";
import { problemOf, refused, SITE_LOGIN_REQUIRED, type Problem } from "../api/problems";
import type { Refusal, Viewer } from "../api/types";
import { storedSignal } from "../stored";

export const viewer = signal<Viewer | null>(null);

/** `waiting` until the server has said who is asking; `closed`: nothing can be seen without a login. */
export const access = signal<"waiting" | "open" | "closed">("waiting");

/** The person who was here last, "" for a guest; while the server can't say who is asking, it is still them. */
const lastPerson = storedSignal("person", "");
const isUnknown = signal(false);

/** Whose reading it is, also while the server is away; "" for a guest. */
export const readerId = computed(() => viewer.value?.user.id ?? (isUnknown.value ? lastPerson.value : ""));

export const isPerson = computed(() => viewer.value !== null);
export const hasSiteAccount = computed(() => viewer.value?.siteAccount?.state === "CONNECTED");

/** Between two attempts to ask who is asking, while the server can't say. */
const RETRY_MS = 15_000;

/** Ask who is asking. While the server can't say, the page is shown as to a guest, and it is asked again. */
export async function loadViewer(): Promise<void> {
  const first = await askViewer();
  // A cookie that is no longer valid is removed by the refusal: who they are without it is known at the second time.
  if (first.error && problemOf(first.error).code === "UNAUTHENTICATED") await askViewer();
  access.value = viewer.value === null && (await isLoginNeeded()) ? "closed" : "open";
}

/** Who is asking, as far as the server can say; while it can't, it is asked again. */
async function askViewer(): Promise<{ error?: CombinedError | undefined }> {
  const answer = await uncached.query<{ viewer: Viewer | null }>(VIEWER, {}).toPromise();
  viewer.value = answer.data?.viewer ?? null;
  isUnknown.value = answer.error !== undefined && problemOf(answer.error).retryable;
  if (isUnknown.value) setTimeout(() => void loadViewer(), RETRY_MS);
  else lastPerson.value = viewer.value?.user.id ?? "";
  return answer;
}

async function isLoginNeeded(): Promise<boolean> {
  const { error } = await uncached.query(MAY_READ, {}).toPromise();
  return error !== undefined && problemOf(error).code === "UNAUTHENTICATED";
}

/** Begin anew when the session has ended, or the server was closed: what is shown is not for whoever asks now. */
export function followSession(): void {
  let seen = unauthenticatedCount.value;
  effect(() => {
    if (unauthenticatedCount.value === seen) return;
    seen = unauthenticatedCount.value;
    void restartIfOver();
  });
}

async function restartIfOver(): Promise<void> {
  const before = viewer.peek()?.user.id;
  const { data } = await uncached.query<{ viewer: Viewer | null }>(VIEWER, {}).toPromise();
  if (data && data.viewer?.user.id !== before) restart();
}

/** Run a mutation whose only field is `result`: its problem, or null with the result in `onDone`. `headers` go with it alone. */
export async function change<Result = unknown>(
  document: string,
  variables: Record<string, unknown>,
  onDone: (result: Result) => void = () => undefined,
  headers: Record<string, string> = {},
): Promise<Problem | null> {
  const context = { fetchOptions: { headers: { ...keyHeader(), ...headers } } };
  const { data, error } = await uncached.mutation<{ result: Result | Refusal }>(document, variables, context).toPromise();
  if (error) return problemOf(error);
  const result = data?.result;
  if (!isRefusal(result)) {
    onDone(result as Result);
    return null;
  }
  if (result.__typename === SITE_LOGIN_REQUIRED) siteSessionEnded();
  return refused(result);
}

function isRefusal(result: unknown): result is Refusal {
  return typeof result === "object" && result !== null && "code" in result;
}

/** The site has ended the session of the connected account: what needs it says so until it is connected again. */
export function siteSessionEnded(): void {
  const person = viewer.value;
  if (person?.siteAccount?.state === "CONNECTED") viewer.value = { ...person, siteAccount: { ...person.siteAccount, state: "EXPIRED" } };
}

/** Begin anew as somebody else: nothing of the one before stays in the page. */
export function restart(): void {
  location.reload();
}
