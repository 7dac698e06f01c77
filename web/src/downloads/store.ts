/** Downloads of the server: a list at the start and after each reconnect, then the feed. */
import { computed, signal } from "@preact/signals";
import { pipe, subscribe } from "wonka";
import { client } from "../api/client";
import {
  CANCEL_DOWNLOAD, DOWNLOAD_FEED, DOWNLOADS, REMOVE_DOWNLOAD, RETRY_DOWNLOAD, RETRY_FAILED, START_DOWNLOAD, START_DOWNLOADS,
} from "../api/documents";
import { problemOf, refused, type Problem } from "../api/problems";
import type { ArchiveFormat, Download, ImageFormat, Refusal } from "../api/types";
import { t } from "../i18n";
import { announce } from "../components/toasts";
import { goneFrom, isActive, merged, sorted, without, type Records } from "./records";

const records = signal<Records>(new Map());
const isKnown = signal(false);
/** Ids are never reused: entries for these in the cached response of an album are outdated. */
const removedIds = new Set<string>();

/** Newest first; null until the server has responded. */
export const downloads = computed(() => (isKnown.value ? sorted(records.value) : null));
export const activeCount = computed(() => [...records.value.values()].filter(isActive).length);
export const listProblem = signal<Problem | null>(null);

interface Batch {
  downloadFeed: { isSnapshot: boolean; removed: string[]; downloads: Download[] };
}

interface DownloadList {
  downloads: { nodes: Download[]; pageInfo: { hasNextPage: boolean } };
}

/** Follows the feed while the page is open. */
export function followDownloads(): void {
  void fetchList();
  pipe(
    client.subscription<Batch>(DOWNLOAD_FEED, {}),
    subscribe(({ data }) => {
      if (!data) return;
      const { isSnapshot, removed, downloads: received } = data.downloadFeed;
      receiveDownloads(received);
      drop(removed);
      // Each connection begins with a snapshot: what ended while it was closed is only in the list.
      if (isSnapshot) void fetchList();
    }),
  );
}

export async function fetchList(): Promise<void> {
  // Events that arrive while the list is being fetched are newer than the list.
  const before = records.value;
  const { data, error } = await client
    .query<DownloadList>(DOWNLOADS, {}, { requestPolicy: "network-only" })
    .toPromise();
  listProblem.value = error ? problemOf(error) : null;
  if (!data) return;
  const { nodes, pageInfo } = data.downloads;
  drop(goneFrom(before, nodes, pageInfo.hasNextPage));
  receiveDownloads(nodes);
  isKnown.value = true;
}

export function receiveDownloads(incoming: readonly Download[]): void {
  const received = incoming.filter(({ id }) => !removedIds.has(id));
  for (const download of received) {
    const before = records.value.get(download.id);
    if (!before || !isActive(before)) continue;
    if (download.state === "READY") announce(t().download.ready(download.title), download.file);
    if (download.state === "FAILED") announce(t().download.failed(download.title), null);
  }
  records.value = merged(records.value, received);
}

function drop(ids: readonly string[]): void {
  for (const id of ids) removedIds.add(id);
  records.value = without(records.value, ids);
}

export interface StartDownloadInput {
  albumId: string;
  archive: ArchiveFormat;
  image: ImageFormat;
  quality: number;
  chapterIds: string[] | null;
  /** Put it into the library, where it never expires. */
  keep: boolean;
}

type Result = (Download & { __typename: "Download" }) | (Refusal & { __typename: string }) | { __typename: string; id: string };

/** Starts a download; returns the error if there is one. */
export async function start(input: StartDownloadInput): Promise<Problem | null> {
  const { data, error } = await client
    .mutation<{ startDownload: Result }>(START_DOWNLOAD, { input })
    .toPromise();
  return error ? problemOf(error) : settle(data?.startDownload);
}

/** Downloads of one request to the server. */
const BATCH = 100;

/** Starts many downloads: how many are under way, and what stood in the way of the others, each reason once. */
export async function startMany(inputs: readonly StartDownloadInput[]): Promise<{ started: number; problems: Problem[] }> {
  const problems = new Map<string, Problem>();
  let started = 0;
  for (let from = 0; from < inputs.length; from += BATCH) {
    const batch = inputs.slice(from, from + BATCH);
    const { data, error } = await client.mutation<{ startDownloads: Result[] }>(START_DOWNLOADS, { inputs: batch }).toPromise();
    const found = error ? [problemOf(error)] : (data?.startDownloads ?? []).map((result) => settle(result));
    for (const problem of found) {
      if (problem) problems.set(problem.code, problem);
      else started += 1;
    }
    if (error) break;
  }
  return { started, problems: [...problems.values()] };
}

export async function cancel(id: string): Promise<Problem | null> {
  return change(CANCEL_DOWNLOAD, id);
}

export async function retry(id: string): Promise<Problem | null> {
  return change(RETRY_DOWNLOAD, id);
}

export async function remove(id: string): Promise<Problem | null> {
  return change(REMOVE_DOWNLOAD, id);
}

export async function retryFailed(): Promise<Problem | null> {
  const { data, error } = await client
    .mutation<{ retryFailedDownloads: Download[] }>(RETRY_FAILED, {})
    .toPromise();
  if (data) receiveDownloads(data.retryFailedDownloads);
  return error ? problemOf(error) : null;
}

async function change(document: string, id: string): Promise<Problem | null> {
  const { data, error } = await client.mutation<{ result: Result }>(document, { id }).toPromise();
  return error ? problemOf(error) : settle(data?.result);
}

function settle(result: Result | undefined): Problem | null {
  if (!result) return null;
  if ("code" in result) {
    if (result.__typename === "DownloadNotFound") void fetchList();
    return refused(result);
  }
  if (result.__typename === "RemovedDownload") drop([result.id]);
  else receiveDownloads([result as Download]);
  return null;
}
