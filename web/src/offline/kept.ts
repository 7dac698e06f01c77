/** Chapters that are kept on this device: those that were chosen, and the one read last. */
import { computed, effect, signal } from "@preact/signals";
import { baseUrl, local } from "../api/addresses";
import type { Chapter, Page } from "../api/types";
import { viewer } from "../people/viewer";
import { readStored, storedSignal } from "../stored";

/** The same name as in the service worker, which answers from it. */
const CACHE = "jmgraph-kept";
/** Marks, for the service worker, the address of a picture that is kept. */
const MARK = "kept";
/** Pages of one chapter that are fetched at once. */
const CHOSEN_AT_ONCE = 3;
const READ_AT_ONCE = 1;

export const MEGABYTE = 1_000_000;
export const LIMITS = [200, 500, 1000, 2000] as const;

/** What the reader shows. */
export interface KeptAnswer {
  readonly album: { id: string; title: string; chapters: Chapter[] | null };
  readonly chapter: Chapter & { pages: Page[] };
}

export interface KeptChapter {
  readonly albumId: string;
  readonly albumTitle: string;
  readonly chapterId: string;
  readonly chapterTitle: string;
  readonly index: number;
  readonly isSeries: boolean;
  readonly pageCount: number;
  readonly bytes: number;
  /** False: it is only the one read last. */
  readonly isChosen: boolean;
  readonly coverUrl: string;
}

export type KeepResult = "kept" | "full" | "failed" | "stopped";

/** The browser has a cache for it: only at https, or on this machine. */
export const canKeep = typeof caches !== "undefined";

/** Megabytes that kept chapters may take. */
export const limit = storedSignal<number>("offline.limit", 500);
export const keepsLastRead = storedSignal("offline.last", true);
export const kept = storedSignal<readonly KeptChapter[]>("offline.kept", []);
export const keptBytes = computed(() => kept.value.reduce((sum, { bytes }) => sum + bytes, 0));
/** The chapter that is being kept, and how many of its pages are there. */
export const keeping = signal<{ chapterId: string; done: number; count: number } | null>(null);

/** Whose they are: another person finds none of them. */
const owner = storedSignal("offline.owner", "");
let reading: AbortController | null = null;

/** The address of a picture that is kept on this device. */
export function onDevice(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${MARK}`;
}

/** Whether a chapter is on this device, chosen or read last. */
export function isStored(chapterId: string): boolean {
  return kept.peek().some((chapter) => chapter.chapterId === chapterId);
}

export function isKept(chapterId: string): boolean {
  return kept.value.some((chapter) => chapter.chapterId === chapterId && chapter.isChosen);
}

/** Fetches a chapter that was chosen. The one read last makes room for it, another chosen one doesn't. */
export async function keepChosen(answer: KeptAnswer): Promise<KeepResult> {
  reading?.abort();
  const known = kept.value.find(({ chapterId }) => chapterId === answer.chapter.id);
  if (known) {
    kept.value = kept.value.map((chapter) => (chapter === known ? { ...chapter, isChosen: true } : chapter));
    return "kept";
  }
  await Promise.all(kept.value.filter(({ isChosen }) => !isChosen).map(({ chapterId }) => removeKept(chapterId)));
  keeping.value = { chapterId: answer.chapter.id, done: 0, count: answer.chapter.pages.length };
  const result = await fetchChapter(answer, { isChosen: true, atOnce: CHOSEN_AT_ONCE, signal: new AbortController().signal });
  keeping.value = null;
  return result;
}

/** Keeps the chapter that is being read, in place of the one before, unless the connection is dear or the space is taken. */
export async function keepLastRead(answer: KeptAnswer): Promise<void> {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  const isThere = kept.value.some(({ chapterId }) => chapterId === answer.chapter.id);
  if (!canKeep || !keepsLastRead.value || connection?.saveData || isThere) return;
  reading?.abort();
  const mine = (reading = new AbortController());
  const before = kept.value.filter(({ isChosen }) => !isChosen);
  const result = await fetchChapter(answer, { isChosen: false, atOnce: READ_AT_ONCE, signal: mine.signal, freed: before });
  if (result === "kept") await Promise.all(before.map(({ chapterId }) => removeKept(chapterId)));
}

interface Options {
  isChosen: boolean;
  atOnce: number;
  signal: AbortSignal;
  /** Chapters that are removed once this one is there. */
  freed?: readonly KeptChapter[];
}

async function fetchChapter(answer: KeptAnswer, { isChosen, atOnce, signal, freed = [] }: Options): Promise<KeepResult> {
  const { album, chapter } = answer;
  const coverUrl = new URL(`images/covers/${album.id}?size=thumbnail`, baseUrl()).href;
  const free = limit.value * MEGABYTE - keptBytes.value + freed.reduce((sum, { bytes }) => sum + bytes, 0);
  const cache = await caches.open(CACHE);
  const urls = [...chapter.pages.map(({ url }) => local(url)), coverUrl];
  const waiting = urls.values();
  let bytes = 0;
  let failure: KeepResult | null = null;
  const work = async (): Promise<void> => {
    for (const url of waiting) {
      if (failure) return;
      const size = await store(cache, url, signal).catch(() => null);
      bytes += size ?? 0;
      if (signal.aborted) failure = "stopped";
      else if (size === null && url !== coverUrl) failure = "failed";
      else if (bytes > free) failure = "full";
      if (isChosen && keeping.value && url !== coverUrl) keeping.value = { ...keeping.value, done: keeping.value.done + 1 };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failure) {
    await removePages(cache, chapter.id, chapter.pages.length);
    return failure;
  }
  await cache.put(answerUrl(chapter.id), new Response(JSON.stringify(answer)));
  const line: KeptChapter = {
    albumId: album.id, albumTitle: album.title, chapterId: chapter.id, chapterTitle: chapter.title, index: chapter.index,
    isSeries: (album.chapters?.length ?? 0) > 1, pageCount: chapter.pages.length, bytes, isChosen, coverUrl,
  };
  owner.value = viewer.value?.user.id ?? owner.value;
  kept.value = [line, ...kept.value.filter(({ chapterId }) => chapterId !== chapter.id)];
  return "kept";
}

/** Bytes of a picture that is stored now. */
async function store(cache: Cache, url: string, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(String(answer.status));
  const picture = await answer.blob();
  await cache.put(url, new Response(picture, { headers: { "Content-Type": picture.type } }));
  return picture.size;
}

/** What the reader shows of a kept chapter; null where it isn't one. */
export async function readKept(chapterId: string): Promise<KeptAnswer | null> {
  if (!canKeep || !kept.peek().some((chapter) => chapter.chapterId === chapterId)) return null;
  const found = await (await caches.open(CACHE)).match(answerUrl(chapterId));
  return found ? ((await found.json()) as KeptAnswer) : null;
}

export async function removeKept(chapterId: string): Promise<void> {
  const line = kept.value.find((chapter) => chapter.chapterId === chapterId);
  kept.value = kept.value.filter((chapter) => chapter.chapterId !== chapterId);
  if (line) await removePages(await caches.open(CACHE), chapterId, line.pageCount);
}

export async function removeAllKept(): Promise<void> {
  reading?.abort();
  kept.value = [];
  owner.value = "";
  if (canKeep) await caches.delete(CACHE);
}

async function removePages(cache: Cache, chapterId: string, pageCount: number): Promise<void> {
  const pages = Array.from({ length: pageCount }, (_, index) => new URL(`images/pages/${chapterId}/${index + 1}`, baseUrl()).href);
  await Promise.all([answerUrl(chapterId), ...pages].map((url) => cache.delete(url)));
}

function answerUrl(chapterId: string): string {
  return new URL(`kept/${chapterId}`, baseUrl()).href;
}

/** What one person kept is removed once it is known that another is here. */
export function followOwner(): void {
  effect(() => {
    const id = viewer.value?.user.id;
    const of = readStored("offline.owner", "");
    if (id !== undefined && of !== "" && of !== id) void removeAllKept();
  });
}
