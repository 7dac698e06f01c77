/** Reports of how far a person has read: kept in the browser until the server has them, also while it is offline. */
import { effect } from "@preact/signals";
import { live, uncached } from "../api/client";
import { READ_ALBUMS, SET_PROGRESS } from "../api/documents";
import { problemOf } from "../api/problems";
import type { Refusal } from "../api/types";
import { readStored, writeStored } from "../stored";
import { forgetReadingPositions, readingPositions } from "../views/reading-positions";
import { readerId, viewer } from "./viewer";

export interface Report {
  readonly albumId: string;
  readonly chapterId: string;
  readonly page: number;
  readonly readAt: string;
}

/** Pages turned quickly are one report. */
const DELAY_MS = 1500;

/** Between two attempts to send what could not be sent. */
const RETRY_MS = 30_000;

let timer = 0;
let isSending = false;

/** Reports not sent yet, by person: those of somebody else wait until they are back. */
function key(): string {
  return `reports.${readerId.value}`;
}

/** The later of two reports of a chapter counts. */
export function merged(reports: readonly Report[], added: Report): Report[] {
  return [...reports.filter(({ chapterId }) => chapterId !== added.chapterId), added];
}

export function report(albumId: string, chapterId: string, page: number): void {
  if (!readerId.value) return;
  const added = { albumId, chapterId, page, readAt: new Date().toISOString() };
  writeStored(key(), merged(unsent(), added));
  sendIn(DELAY_MS);
}

/** Where this person has read last in an album, as long as the server doesn't know it. */
export function unsentReport(albumId: string): Report | undefined {
  return unsent().findLast((waiting) => waiting.albumId === albumId);
}

/** Send what waits. What the server refuses for good is dropped, the rest is kept and sent again; one that can't be
 * taken now holds up no other.
 */
export async function sendReports(): Promise<void> {
  if (isSending || !viewer.value) return;
  isSending = true;
  const isAllSent = await sendEach(unsent()).finally(() => (isSending = false));
  if (unsent().length > 0) sendIn(isAllSent ? DELAY_MS : RETRY_MS);
}

async function sendEach(reports: readonly Report[]): Promise<boolean> {
  let isAllSent = true;
  for (const waiting of reports) {
    const outcome = await send(waiting);
    if (outcome === "done") drop(waiting);
    else isAllSent = false;
    if (outcome === "offline") break;
  }
  return isAllSent;
}

function sendIn(ms: number): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => void sendReports(), ms);
}

/** `kept`: to be sent again, for the server can't take it now, or the session has ended. */
async function send(input: Report): Promise<"done" | "kept" | "offline"> {
  const { data, error } = await uncached.mutation<{ result: Refusal | { __typename: string } }>(SET_PROGRESS, { input }).toPromise();
  const problem = error ? problemOf(error) : data?.result && "code" in data.result ? data.result : null;
  if (problem?.code === "OFFLINE") return "offline";
  return problem?.retryable || problem?.code === "UNAUTHENTICATED" ? "kept" : "done";
}

function unsent(): Report[] {
  return readStored<Report[]>(key(), []);
}

function drop(sent: Report): void {
  const left = unsent().filter(({ chapterId, readAt }) => chapterId !== sent.chapterId || readAt !== sent.readAt);
  writeStored(key(), left);
}

/** Take over, at the first login of a person here, where guests of this browser were: albums that the server knows stay as
 * they are there. What was taken over is forgotten here, so that it becomes no other person's too.
 */
export async function takeOverPositions(): Promise<void> {
  const id = viewer.value?.user.id;
  if (id === undefined || readStored(`taken.${id}`, false)) return;
  const known = await readAlbums();
  if (known === null) return;
  const positions = readingPositions().filter(([albumId]) => !known.has(albumId));
  const now = Date.now();
  const reports = positions.map(([albumId, { chapter, page }], index) => ({
    albumId, chapterId: chapter, page, readAt: new Date(now - (positions.length - index) * 1000).toISOString(),
  }));
  writeStored(key(), reports.reduce(merged, unsent()));
  writeStored(`taken.${id}`, true);
  forgetReadingPositions();
  await sendReports();
}

/** Numbers of all albums in this person's history; null while the server can't say. */
async function readAlbums(): Promise<ReadonlySet<string> | null> {
  const known = new Set<string>();
  let after: string | null = null;
  do {
    const answer: { data?: ReadAlbums | undefined } = await uncached.query<ReadAlbums>(READ_ALBUMS, { after }).toPromise();
    const history = answer.data?.viewer?.history;
    if (!history) return null;
    for (const { album } of history.nodes) known.add(album.id);
    after = history.pageInfo.hasNextPage ? history.pageInfo.endCursor : null;
  } while (after !== null);
  return known;
}

interface ReadAlbums {
  viewer: { history: { pageInfo: { hasNextPage: boolean; endCursor: string | null }; nodes: { album: { id: string } }[] } } | null;
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
