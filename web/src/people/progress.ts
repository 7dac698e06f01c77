/** Reports of how far a person has read: kept in the browser until the server has them, also while it is offline. */
import { effect } from "@preact/signals";
import { client, live, uncached } from "../api/client";
import { HISTORY, SET_PROGRESS } from "../api/documents";
import { problemOf } from "../api/problems";
import type { Reading, Refusal } from "../api/types";
import { readStored, writeStored } from "../stored";
import { readingPositions } from "../views/reading-positions";
import { viewer } from "./viewer";

export interface Report {
  readonly albumId: string;
  readonly chapterId: string;
  readonly page: number;
  readonly readAt: string;
}

/** Pages turned quickly are one report. */
const DELAY_MS = 1500;

/** The newest history that a take-over looks at: as many albums as the browser remembers. */
const HISTORY_PAGE = 100;

let timer = 0;
let isSending = false;

/** Reports not sent yet, by person: those of somebody else wait until they are back. */
function key(): string {
  return `reports.${viewer.value?.user.id ?? ""}`;
}

/** The later of two reports of a chapter counts. */
export function merged(reports: readonly Report[], added: Report): Report[] {
  return [...reports.filter(({ chapterId }) => chapterId !== added.chapterId), added];
}

export function report(albumId: string, chapterId: string, page: number): void {
  if (!viewer.value) return;
  const added = { albumId, chapterId, page, readAt: new Date().toISOString() };
  writeStored(key(), merged(readStored<Report[]>(key(), []), added));
  clearTimeout(timer);
  timer = window.setTimeout(() => void sendReports(), DELAY_MS);
}

/** Send what waits. What the server refuses for good is dropped; the rest is sent again once it is back. */
export async function sendReports(): Promise<void> {
  if (isSending || !viewer.value) return;
  isSending = true;
  try {
    for (let next = first(); next; next = first()) {
      const { data, error } = await uncached.mutation<{ result: Refusal | { __typename: string } }>(SET_PROGRESS, { input: next }).toPromise();
      if (error && problemOf(error).retryable) return;
      if (data?.result && "code" in data.result && data.result.retryable) return;
      drop(next);
    }
  } finally {
    isSending = false;
  }
}

function first(): Report | undefined {
  return readStored<Report[]>(key(), [])[0];
}

function drop(sent: Report): void {
  const left = readStored<Report[]>(key(), []).filter(({ chapterId, readAt }) => chapterId !== sent.chapterId || readAt !== sent.readAt);
  writeStored(key(), left);
}

/** Take over, at the first login of a person here, where this browser was: albums that the server knows stay as they are there. */
export async function takeOverPositions(): Promise<void> {
  const id = viewer.value?.user.id;
  if (id === undefined || readStored(`taken.${id}`, false)) return;
  const variables = { first: HISTORY_PAGE, after: null, me: false };
  const { data } = await client.query<{ viewer: { history: { nodes: Reading[] } } | null }>(HISTORY, variables, { requestPolicy: "network-only" }).toPromise();
  if (!data?.viewer) return;
  const known = new Set(data.viewer.history.nodes.map(({ album }) => album.id));
  const positions = readingPositions().filter(([albumId]) => !known.has(albumId));
  const now = Date.now();
  const reports = positions.map(([albumId, { chapter, page }], index) => ({
    albumId, chapterId: chapter, page, readAt: new Date(now - (positions.length - index) * 1000).toISOString(),
  }));
  writeStored(key(), reports.reduce(merged, readStored<Report[]>(key(), [])));
  writeStored(`taken.${id}`, true);
  await sendReports();
}

/** Send what waits now and whenever the server is back; what is left when the page is closed is sent the next time. */
export function followReports(): void {
  effect(() => {
    if (live.value && viewer.value) void sendReports();
  });
  addEventListener("online", () => void sendReports());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") void sendReports();
  });
}
