/** One album: description, tags, download, chapters, related albums and comments. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ALBUM, RELATED, RELATED_HEARTS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Album, AlbumLine } from "../api/types";
import { StartDownload } from "../downloads/start";
import { receiveDownloads } from "../downloads/store";
import { t } from "../i18n";
import { compact, day, number } from "../i18n/formats";
import { Comments } from "../components/comments";
import { Cover, ratioOf } from "../components/cover";
import { AlbumGrid } from "../components/grid";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { announce } from "../components/toasts";
import { TagRow } from "../components/tag-chip";
import { Waiting } from "../components/waiting";
import { Heart, heartsOf, useHearts } from "../people/hearts";
import { LibraryButton } from "../people/library";
import { libraryRevision } from "../people/library-news";
import { unsentReport } from "../people/progress";
import { hasSiteAccount, isPerson } from "../people/viewer";
import { href, replace } from "../router";
import { Chapters } from "./chapters";
import { readingPosition, type ReadingPosition } from "./reading-positions";
import { SameAuthor } from "./same-author";
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
  // New chapters, or settings made elsewhere.
  const revision = libraryRevision.value;
  const seen = useRef(revision);
  useEffect(() => {
    if (revision !== seen.current && album?.libraryEntry) reload();
    seen.current = revision;
  }, [revision]);
  // The number of a later chapter gives its album: the address becomes the album's.
  useLayoutEffect(() => {
    if (album && album.id !== id) replace(["album", album.id]);
  }, [album?.id]);
  if (isLoading) return <Waiting onStop={stop}><AlbumSkeleton id={id} /></Waiting>;
  if (album) return <AlbumDetails album={album} onChange={reload} />;
  if (problem) return <ProblemMessage isView problem={problem} sitePath={`album/${id}`} onRetry={reload} />;
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
        {album.authors?.[0] && <SameAuthor albumId={album.id} author={album.authors[0]} />}
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
      <StartDownload
        album={album}
        before={
          <a
            class="button button-primary button-large"
            href={href(["album", album.id, "read", position?.chapter ?? chapters[0]?.id ?? album.id], position ? { page: position.page } : {})}
          >
            <Icon name="book" /> {position ? words.resume(chapters.length > 1 && at >= 0 ? at + 1 : null, position.page) : words.read}
          </a>
        }
        after={
          <>
            {typeof album.isSiteFavorite === "boolean" && <Heart isLarge key={String(album.isSiteFavorite)} albumId={album.id} title={album.title} isFavorite={album.isSiteFavorite} />}
            {isPerson.value && <LibraryButton album={album} onChange={onChange} />}
            <Share title={album.title} />
            <a class="button button-large" href={album.url} target="_blank" rel="noopener noreferrer" aria-label={words.original} title={words.original}>
              <Icon name="link" />
            </a>
          </>
        }
      />
      <TagRow label={words.authors} tags={album.authors ?? []} />
      <TagRow label={words.works} tags={album.works ?? []} />
      <TagRow label={words.characters} tags={album.characters ?? []} />
      <TagRow label={words.tags} tags={album.tags ?? []} />
      {album.tags?.length === 0 && <p class="quiet">{words.noTags}</p>}
      {chapters.length > 1 && <Chapters album={album} onChange={onChange} />}
    </div>
  );
}

/** Hands the address to another app, or copies it where the browser can't. */
function Share({ title }: { title: string }) {
  const words = t().album;
  const share = async (): Promise<void> => {
    const url = location.href;
    try {
      if (typeof navigator.share === "function") return await navigator.share({ title, url });
      await navigator.clipboard.writeText(url);
      announce(words.copied, null);
    } catch (error) {
      // Given up by whoever shares: nothing to say. Without a clipboard (an address without TLS): show it.
      if (!(error instanceof DOMException && error.name === "AbortError")) announce(url, null);
    }
  };
  return (
    <button type="button" class="button button-large" aria-label={words.share} title={words.share} onClick={() => void share()}>
      <Icon name="share" />
    </button>
  );
}

/** Where to read on: of a person what the server knows, unless this browser has read on since; of a guest what it remembers. */
function positionIn({ id, progress }: Album): ReadingPosition | null {
  if (!isPerson.value) return readingPosition(id);
  const unsent = unsentReport(id);
  if (unsent) return { chapter: unsent.chapterId, page: unsent.page };
  return progress ? { chapter: progress.chapter.id, page: progress.page } : null;
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
        <AlbumGrid isRow entries={heartsOf(related.map((album) => ({ album })), hearts)} />
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
