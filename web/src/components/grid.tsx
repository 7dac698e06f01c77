/** Albums as a grid of covers, and a placeholder of the same size. */
import type { AlbumLine } from "../api/types";
import { t } from "../i18n";
import { href } from "../router";
import { Cover } from "./cover";

/** Covers of the first rows, which are fetched at once; the others when they come near the viewport. */
const FIRST_ROWS = 12;

export interface GridEntry {
  readonly album: AlbumLine;
  readonly rank?: number;
}

export function AlbumGrid({ entries }: { entries: readonly GridEntry[] }) {
  return (
    <ol class="grid" role="list">
      {entries.map(({ album, rank }, index) => (
        <li key={album.id}>
          <a class="card" href={href(["album", album.id])}>
            <Cover cover={album.cover} alt="" eager={index < FIRST_ROWS} />
            {rank !== undefined && (
              <span class={rank <= 3 ? "rank rank-top" : "rank"}>
                <span class="hidden">{t().list.rank(rank)}: </span>
                <span aria-hidden="true">{rank}</span>
              </span>
            )}
            <span class="card-title">{album.title || t().list.untitled}</span>
          </a>
        </li>
      ))}
    </ol>
  );
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
