/** How the page merges what it receives about downloads. */
import type { Download, DownloadState } from "../api/types";

export type Records = ReadonlyMap<string, Download>;

const ACTIVE: ReadonlySet<DownloadState> = new Set(["QUEUED", "RUNNING", "PACKING"]);

export function isActive(download: Pick<Download, "state">): boolean {
  return ACTIVE.has(download.state);
}

/** The list with `received` merged in; older revisions are ignored. */
export function merged(records: Records, received: readonly Download[]): Records {
  const newer = received.filter((download) => download.revision >= (records.get(download.id)?.revision ?? -1));
  if (newer.length === 0) return records;
  return new Map([...records, ...newer.map((download) => [download.id, download] as const)]);
}

export function without(records: Records, ids: readonly string[]): Records {
  if (!ids.some((id) => records.has(id))) return records;
  return new Map([...records].filter(([id]) => !ids.includes(id)));
}

/**
 * Downloads that the server no longer has, of those known before its newest were fetched. `hasMore`: the list has
 * further pages, so it says nothing about older ones.
 */
export function goneFrom(records: Records, listed: readonly Download[], hasMore: boolean): string[] {
  const ids = new Set(listed.map(({ id }) => id));
  const oldest = hasMore ? (listed.at(-1)?.requestedAt ?? "") : "";
  return [...records.values()].filter(({ id, requestedAt }) => !ids.has(id) && requestedAt > oldest).map(({ id }) => id);
}

/** Missing pages ("900007/7" is page 7 of that chapter) by chapter, in the order given. */
export function pagesByChapter(missing: readonly string[]): [chapterId: string, pages: number[]][] {
  const chapters = new Map<string, number[]>();
  for (const text of missing) {
    const [chapter = "", page] = text.split("/");
    chapters.set(chapter, [...(chapters.get(chapter) ?? []), Number(page)]);
  }
  return [...chapters];
}

/** Newest first. */
export function sorted(records: Records): Download[] {
  return [...records.values()].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
}
