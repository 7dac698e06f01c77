/** One album: description, tags, download, chapters, related albums and comments. */
import { useEffect, useLayoutEffect } from "preact/hooks";
import { ALBUM, RELATED, RELATED_HEARTS, SET_CHAPTERS_READ } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Album, AlbumLine, Progress } from "../api/types";
import { StartDownload } from "../downloads/start";
import { receiveDownloads } from "../downloads/store";
import { t } from "../i18n";
import { compact, day, number } from "../i18n/formats";
import { Comments } from "../components/comments";
import { Cover, ratioOf } from "../components/cover";
import { AlbumGrid } from "../components/grid";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { announceProblem } from "../components/toasts";
import { TagRow } from "../components/tag-chip";
import { Waiting } from "../components/waiting";
import { Heart, heartsOf, useHearts } from "../people/hearts";
import { unsentReport } from "../people/progress";
import { change, hasSiteAccount, isPerson } from "../people/viewer";
import { href, replace } from "../router";
import { readingPosition, type ReadingPosition } from "./reading-positions";
import { useTitle } from "./title";

export function AlbumView({ id }: { id: string }) {
  const { data, problem, isLoading, reload, stop } = useQuery<{ album: Album | null }>(
    ALBUM,
    { id, me: isPerson.value, atSite: hasSiteAccount.value },
    "cache-and-network",
  );
  const album = data?.album ?? null;
  useTitle(album?.title ?? t().album.number(id));
  useEffect(() => {
    if (album) receiveDownloads(album.downloads);
  }, [album]);
  // The number of a later chapter gives its album: the address becomes the album's.
  useLayoutEffect(() => {
    if (album && album.id !== id) replace(["album", album.id]);
  }, [album?.id]);
  if (isLoading) return <Waiting onStop={stop}><AlbumSkeleton id={id} /></Waiting>;
  if (album) return <AlbumDetails album={album} onChange={reload} />;
  if (problem) return <ProblemMessage isView problem={problem} onRetry={reload} />;
  return (
    <Message isView title={t().album.missing(id)} hint={t().album.missingHint}>
      <a class="button" href={href(["search"], { q: id, as: "text" })}>{t().album.searchText(id)}</a>
      <a class="button" href={href([])}>{t().app.rankings}</a>
    </Message>
  );
}

interface AlbumProps {
  album: Album;
  /** Called when what is known of its reading has changed. */
  onChange: () => void;
}

function AlbumDetails({ album, onChange }: AlbumProps) {
  return (
    <article class="album">
      <div class="album-main">
        <div class="album-cover">
          <Cover cover={album.cover} alt="" ratio={ratioOf(album.cover)} eager />
        </div>
        <AlbumAbout album={album} onChange={onChange} />
      </div>
      <div class="album-more">
        <Related id={album.id} />
        <Comments id={album.id} count={album.commentCount ?? 0} />
      </div>
    </article>
  );
}

function AlbumAbout({ album, onChange }: AlbumProps) {
  const words = t().album;
  const chapters = album.chapters ?? [];
  const position = positionIn(album);
  const at = chapters.findIndex(({ id }) => id === position?.chapter);
  const facts = [
    words.number(album.id),
    album.pageCount !== null && words.pages(number(album.pageCount)),
    album.viewCount !== null && words.views(compact(album.viewCount)),
    album.likeCount !== null && words.likes(compact(album.likeCount)),
    album.publishedOn && words.published(day(album.publishedOn)),
    album.updatedOn && album.updatedOn !== album.publishedOn && words.updated(day(album.updatedOn)),
  ].filter(Boolean);
  return (
    <div class="album-about">
      <h1>{album.title || t().list.untitled}</h1>
      <p class="facts">{facts.join(" · ")}</p>
      {album.description && <p class="description">{album.description}</p>}
      <p class="album-actions">
        <a
          class="button button-primary button-large"
          href={href(["album", album.id, "read", position?.chapter ?? chapters[0]?.id ?? album.id], position ? { page: position.page } : {})}
        >
          <Icon name="book" /> {position ? words.resume(chapters.length > 1 && at >= 0 ? at + 1 : null, position.page) : words.read}
        </a>
        {typeof album.isSiteFavorite === "boolean" && <Heart isLarge key={String(album.isSiteFavorite)} albumId={album.id} title={album.title} isFavorite={album.isSiteFavorite} />}
        <a class="button button-large" href={album.url} target="_blank" rel="noopener noreferrer">
          {words.original}
        </a>
      </p>
      <TagRow label={words.authors} tags={album.authors ?? []} />
      <TagRow label={words.works} tags={album.works ?? []} />
      <TagRow label={words.characters} tags={album.characters ?? []} />
      <TagRow label={words.tags} tags={album.tags ?? []} />
      {album.tags?.length === 0 && <p class="quiet">{words.noTags}</p>}
      <StartDownload album={album} />
      {chapters.length > 1 && <Chapters album={album} onChange={onChange} />}
    </div>
  );
}

function Chapters({ album, onChange }: AlbumProps) {
  const words = t().people;
  const chapters = album.chapters ?? [];
  const isAllRead = chapters.every(({ progress }) => progress?.isFinished);
  const mark = (chapterIds: string[] | null, isRead: boolean): void =>
    void change(SET_CHAPTERS_READ, { albumId: album.id, chapterIds, isRead }, onChange).then((problem) => problem && announceProblem(problem));
  return (
    <section>
      <div class="chapters-head">
        <h2>{t().album.chapters}</h2>
        {isPerson.value && (
          <button type="button" class="button button-small" onClick={() => mark(null, !isAllRead)}>
            {isAllRead ? words.markAllUnread : words.markAllRead}
          </button>
        )}
      </div>
      <ol class="chapters" role="list">
        {chapters.map((chapter) => (
          <li key={chapter.id}>
            <a href={href(["album", album.id, "read", chapter.id], pageToOpen(chapter.progress))}>
              <span class="quiet">{chapter.index}</span> {chapter.title}
              {chapter.progress && (
                <span class={chapter.progress.isFinished ? "chapter-mark chapter-read" : "chapter-mark"}>
                  {chapter.progress.isFinished ? words.read : words.pageOf(chapter.progress.page, chapter.progress.pageCount)}
                </span>
              )}
            </a>
            {isPerson.value && (
              <button
                type="button"
                class="button button-icon"
                aria-pressed={chapter.progress?.isFinished ?? false}
                aria-label={words.markRead(chapter.title || String(chapter.index))}
                onClick={() => mark([chapter.id], !chapter.progress?.isFinished)}
              >
                <Icon name="check" size={16} />
              </button>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Where to read on: of a person what the server knows, unless this browser has read on since; of a guest what it remembers. */
function positionIn({ id, progress }: Album): ReadingPosition | null {
  if (!isPerson.value) return readingPosition(id);
  const unsent = unsentReport(id);
  if (unsent) return { chapter: unsent.chapterId, page: unsent.page };
  return progress ? { chapter: progress.chapter.id, page: progress.page } : null;
}

/** A chapter that was begun opens where it was left. */
function pageToOpen(progress: Progress | null | undefined): { page?: number } {
  return progress && !progress.isFinished ? { page: progress.page } : {};
}

function Related({ id }: { id: string }) {
  const { data } = useQuery<{ album: { related: AlbumLine[] | null } | null }>(RELATED, { id, me: isPerson.value });
  const hearts = useHearts(RELATED_HEARTS, { id });
  const related = data?.album?.related ?? [];
  if (related.length === 0) return null;
  return (
    <section>
      <h2>{t().album.related}</h2>
      <div class="related">
        <AlbumGrid entries={heartsOf(related.map((album) => ({ album })), hearts)} />
      </div>
    </section>
  );
}

function AlbumSkeleton({ id }: { id: string }) {
  return (
    <>
      <h1 class="hidden">{t().album.number(id)}</h1>
      <div class="album-main" aria-hidden="true">
        <div class="album-cover">
          <div class="cover skeleton cover-usual" />
        </div>
        <div class="album-about">
          <div class="skeleton line line-title" />
          <div class="skeleton lines" />
          <div class="skeleton lines" />
        </div>
      </div>
    </>
  );
}
