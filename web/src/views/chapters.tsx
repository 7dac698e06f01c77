/** The chapters of a series, with what was read, what is new, and a filter where there are many. */
import { useState } from "preact/hooks";
import { SET_CHAPTERS_READ } from "../api/documents";
import type { Album, Chapter, Progress } from "../api/types";
import { Icon } from "../components/icons";
import { announceProblem } from "../components/toasts";
import { t } from "../i18n";
import { day } from "../i18n/formats";
import { isKept } from "../offline/kept";
import { change, isPerson } from "../people/viewer";
import { href } from "../router";
import { isShown } from "./chapter-filter";

/** Chapters without a filter. */
const FEW = 8;

interface Props {
  album: Album;
  /** Called when what is known of its reading has changed. */
  onChange: () => void;
}

export function Chapters({ album, onChange }: Props) {
  const words = t().people;
  const [query, setQuery] = useState("");
  const [isUnreadOnly, setUnreadOnly] = useState(false);
  const [isNewestFirst, setNewestFirst] = useState(false);
  const chapters = album.chapters ?? [];
  const fresh = new Set(album.libraryEntry?.newChapters.map(({ id }) => id));
  const isAllRead = chapters.every(({ progress }) => progress?.isFinished);
  const mark = (chapterIds: string[] | null, isRead: boolean): void =>
    void change(SET_CHAPTERS_READ, { albumId: album.id, chapterIds, isRead }, onChange).then((problem) => problem && announceProblem(problem));
  const found = chapters.filter((chapter) => isShown(chapter, query, isUnreadOnly));
  const shown = isNewestFirst ? found.toReversed() : found;
  return (
    <section>
      <div class="chapters-head">
        <h2>{t().album.chapters} <span class="quiet">{chapters.length}</span></h2>
        {isPerson.value && (
          <button type="button" class="button button-small" onClick={() => mark(null, !isAllRead)}>
            {isAllRead ? words.markAllUnread : words.markAllRead}
          </button>
        )}
      </div>
      {chapters.length > FEW && (
        <div class="chapters-filter">
          <input type="search" value={query} aria-label={t().album.findChapter} placeholder={t().album.findChapter} onInput={(event) => setQuery(event.currentTarget.value)} />
          {isPerson.value && (
            <label class="check">
              <input type="checkbox" checked={isUnreadOnly} onChange={(event) => setUnreadOnly(event.currentTarget.checked)} /> {t().album.unreadOnly}
            </label>
          )}
          <label class="check">
            <input type="checkbox" checked={isNewestFirst} onChange={(event) => setNewestFirst(event.currentTarget.checked)} /> {t().album.newestFirst}
          </label>
        </div>
      )}
      <ol class="chapters" role="list">
        {shown.map((chapter) => (
          <Line key={chapter.id} albumId={album.id} chapter={chapter} isNew={fresh.has(chapter.id)} onMark={(isRead) => mark([chapter.id], isRead)} />
        ))}
      </ol>
      {shown.length === 0 && <p class="quiet" role="status">{t().album.noChapter}</p>}
    </section>
  );
}

function Line({ albumId, chapter, isNew, onMark }: { albumId: string; chapter: Chapter; isNew: boolean; onMark: (isRead: boolean) => void }) {
  const words = t().people;
  const { progress } = chapter;
  return (
    <li>
      <a href={href(["album", albumId, "read", chapter.id], pageToOpen(progress))}>
        <span class="quiet">{chapter.index}</span> {chapter.title}
        {isNew && <span class="badge">{t().album.isNew}</span>}
        {isKept(chapter.id) && <span class="quiet chapter-kept"><Icon name="download" size={14} /><span class="hidden">{t().offline.isKept}</span></span>}
        {progress && (
          <span class={progress.isFinished ? "chapter-mark chapter-read" : "chapter-mark"}>
            {progress.isFinished ? words.read : words.pageOf(progress.page, progress.pageCount)}
            {progress.readAt && <span class="quiet"> · {day(progress.readAt.slice(0, 10))}</span>}
          </span>
        )}
      </a>
      {isPerson.value && (
        <button
          type="button"
          class="button button-icon"
          aria-pressed={progress?.isFinished ?? false}
          aria-label={words.markRead(chapter.title || String(chapter.index))}
          onClick={() => onMark(!progress?.isFinished)}
        >
          <Icon name="check" size={16} />
        </button>
      )}
    </li>
  );
}

/** A chapter that was begun opens where it was left. */
function pageToOpen(progress: Progress | null | undefined): { page?: number } {
  return progress && !progress.isFinished ? { page: progress.page } : {};
}
