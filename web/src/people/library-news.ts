/** What is new in the library, live: how many albums have new chapters, and that a list of them is out of date. */
import { effect, signal } from "@preact/signals";
import { pipe, subscribe } from "wonka";
import { client, live, uncached } from "../api/client";
import { LIBRARY_NEWS, LIBRARY_UPDATED } from "../api/documents";
import { announce } from "../components/toasts";
import { t } from "../i18n";
import { viewer } from "./viewer";

/** Albums of the library with new chapters. */
export const newsCount = signal(0);

/** Grows with every change of the library, whoever made it. */
export const libraryRevision = signal(0);

interface Updated {
  libraryUpdated: { album: { id: string; title: string }; newChapters: { id: string }[] };
}

/** Follows the library of whoever is logged in, while the page is open; what changed while it was offline is asked for. */
export function followLibrary(): void {
  let isFollowing = false;
  effect(() => {
    if (isFollowing || !viewer.value) return;
    isFollowing = true;
    follow();
  });
}

function follow(): void {
  const known = new Map<string, number>();
  pipe(
    client.subscription<Updated>(LIBRARY_UPDATED, {}),
    subscribe(({ data }) => {
      if (!data) return;
      const { album, newChapters } = data.libraryUpdated;
      if (newChapters.length > (known.get(album.id) ?? 0)) announce(t().library.found(album.title, newChapters.length), null);
      known.set(album.id, newChapters.length);
      libraryChanged();
    }),
  );
  effect(() => {
    if (live.value) libraryChanged();
  });
}

export function libraryChanged(): void {
  libraryRevision.value = libraryRevision.peek() + 1;
  void countNews();
}

async function countNews(): Promise<void> {
  const { data } = await uncached.query<{ viewer: { library: { totalCount: number } } | null }>(LIBRARY_NEWS, {}).toPromise();
  newsCount.value = data?.viewer?.library.totalCount ?? newsCount.value;
}
