/** Albums as a grid of covers or as a list, and a placeholder of the same size. */
import { computed } from "@preact/signals";
import type { AlbumLine, AlbumProgress } from "../api/types";
import { downloads } from "../downloads/store";
import { t } from "../i18n";
import { compact, day, number } from "../i18n/formats";
import { shortTitle } from "../i18n/titles";
import { Heart } from "../people/hearts";
import { href } from "../router";
import { storedSignal } from "../stored";
import { Cover } from "./cover";
import { Icon } from "./icons";

/** Covers of the first rows, which are fetched at once; the others when they come near the viewport. */
const FIRST_ROWS = 12;

export interface GridEntry {
  readonly album: AlbumLine;
  readonly rank?: number;
  /** Whether it is a favourite at the site; left out where that is not known. */
  readonly isFavorite?: boolean | undefined;
}

export const LAYOUTS = ["GRID", "LIST"] as const;

export const layout = storedSignal<(typeof LAYOUTS)[number]>("layout", "GRID");

/** Albums that this server has a file of. */
const downloadedIds = computed(() => new Set((downloads.value ?? []).flatMap(({ state, albumId }) => (state === "READY" ? [albumId] : []))));

interface GridProps {
  entries: readonly GridEntry[];
  /** Covers that are fetched at once; none of a list that begins below the window. */
  eagerCount?: number;
  /** True: one row that scrolls, whatever the layout of lists is. */
  isRow?: boolean;
}

export function AlbumGrid({ entries, eagerCount = FIRST_ROWS, isRow = false }: GridProps) {
  return (
    <ol class={layout.value === "LIST" && !isRow ? "grid grid-list" : "grid"} role="list">
      {entries.map(({ album, rank, isFavorite }, index) => (
        <li key={album.id} class="grid-item">
          <a class="card" href={href(["album", album.id])}>
            <span class="card-cover">
              <Cover cover={album.cover} alt="" eager={index < eagerCount} />
              {downloadedIds.value.has(album.id) && (
                <span class="card-downloaded"><Icon name="check" size={14} /><span class="hidden">{t().list.downloaded}</span></span>
              )}
              {album.progress && <ReadMark progress={album.progress} />}
            </span>
            {rank !== undefined && (
              <span class={rank <= 3 ? "rank rank-top" : "rank"}>
                <span class="hidden">{t().list.rank(rank)}: </span>
                <span aria-hidden="true">{rank}</span>
              </span>
            )}
            <span class="card-about">
              <span class="card-title" title={album.title}>{shortTitle(album.title) || t().list.untitled}</span>
              <CardFacts album={album} />
            </span>
          </a>
          {isFavorite !== undefined && <Heart key={String(isFavorite)} albumId={album.id} title={album.title} isFavorite={isFavorite} />}
        </li>
      ))}
    </ol>
  );
}

/** Author, category, pages, views or likes, day of change: what is known without asking the site. */
function CardFacts({ album: { known, category } }: { album: AlbumLine }) {
  const words = t();
  const categories: Readonly<Record<string, string>> = words.list.categories;
  const facts = [
    category && (categories[category] ?? category),
    known.pageCount ? words.album.pages(number(known.pageCount)) : null,
    known.viewCount ? words.album.views(compact(known.viewCount)) : known.likeCount ? words.album.likes(compact(known.likeCount)) : null,
    known.updatedOn && day(known.updatedOn),
  ].filter(Boolean);
  const authors = known.authors?.join(", ");
  return (
    <>
      {authors && <span class="card-authors">{authors}</span>}
      {facts.length > 0 && (
        <span class="card-facts">
          {facts.map((fact, index) => (
            <>
              {index > 0 && " · "}
              <span>{fact}</span>
            </>
          ))}
        </span>
      )}
    </>
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
