/** Albums as a grid of covers, and a placeholder of the same size. */
import type { AlbumLine, AlbumProgress } from "../api/types";
import { t } from "../i18n";
import { Heart } from "../people/hearts";
import { href } from "../router";
import { Cover } from "./cover";

/** Covers of the first rows, which are fetched at once; the others when they come near the viewport. */
const FIRST_ROWS = 12;

export interface GridEntry {
  readonly album: AlbumLine;
  readonly rank?: number;
  /** Whether it is a favourite at the site; left out where that is not known. */
  readonly isFavorite?: boolean | undefined;
}

export function AlbumGrid({ entries }: { entries: readonly GridEntry[] }) {
  return (
    <ol class="grid" role="list">
      {entries.map(({ album, rank, isFavorite }, index) => (
        <li key={album.id} class="grid-item">
          <a class="card" href={href(["album", album.id])}>
            <span class="card-cover">
              <Cover cover={album.cover} alt="" eager={index < FIRST_ROWS} />
              {album.progress && <ReadMark progress={album.progress} />}
            </span>
            {rank !== undefined && (
              <span class={rank <= 3 ? "rank rank-top" : "rank"}>
                <span class="hidden">{t().list.rank(rank)}: </span>
                <span aria-hidden="true">{rank}</span>
              </span>
            )}
            <span class="card-title">{album.title || t().list.untitled}</span>
          </a>
          {isFavorite !== undefined && <Heart key={String(isFavorite)} albumId={album.id} title={album.title} isFavorite={isFavorite} />}
        </li>
      ))}
    </ol>
  );
}

/** How far the album was read: "page 12 of 24", or that it was read. */
function ReadMark({ progress: { page, pageCount, isFinished } }: { progress: AlbumProgress }) {
  const words = t().people;
  return <span class={isFinished ? "read-mark read-done" : "read-mark"}>{isFinished ? words.read : words.pageOf(page, pageCount)}</span>;
}

export function GridSkeleton({ count = 24 }: { count?: number }) {
  return (
    <div class="grid" aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} class="card">
          <div class="cover skeleton cover-usual" />
          <span class="card-title">
            <span class="skeleton line" />
          </span>
        </div>
      ))}
    </div>
  );
}
