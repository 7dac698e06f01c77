/** After the last page of a chapter: the next one, back, the mark as read, and what is related. */
import { useEffect, useRef, useState } from "preact/hooks";
import { RELATED, SET_CHAPTERS_READ } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumLine, Chapter } from "../api/types";
import { AlbumGrid } from "../components/grid";
import { Icon } from "../components/icons";
import { announceProblem } from "../components/toasts";
import { t } from "../i18n";
import { change, isPerson } from "../people/viewer";
import { href } from "../router";

interface Props {
  albumId: string;
  chapter: Chapter;
  previous: Chapter | undefined;
  next: Chapter | undefined;
  onOpen: (chapter: Chapter) => void;
}

export function ReaderEnd({ albumId, chapter, previous, next, onOpen }: Props) {
  const words = t().reader;
  const box = useRef<HTMLElement>(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    if (!box.current) return;
    const seen = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && setNear(true));
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  return (
    <section ref={box} class="reader-end" aria-labelledby="reader-end-title">
      <h2 id="reader-end-title">{next || previous ? words.endOfChapter(chapter.index, chapter.title) : words.end}</h2>
      <p class="reader-end-actions">
        {next && (
          <button type="button" class="button button-primary button-large" onClick={() => onOpen(next)}>
            {words.nextChapter}
          </button>
        )}
        <a class="button button-large" href={href(["album", albumId])}>
          <Icon name="left" /> {words.toAlbum}
        </a>
        {isPerson.value && <MarkRead albumId={albumId} chapterId={chapter.id} />}
        {previous && (
          <button type="button" class="button button-large" onClick={() => onOpen(previous)}>
            {words.previousChapter}
          </button>
        )}
      </p>
      {isNear && <Related albumId={albumId} />}
    </section>
  );
}

/** A chapter whose last page was seen is read: the mark says so, and takes it back. */
function MarkRead({ albumId, chapterId }: { albumId: string; chapterId: string }) {
  const [isRead, setRead] = useState(false);
  const mark = (wanted: boolean): void =>
    void change(SET_CHAPTERS_READ, { albumId, chapterIds: [chapterId], isRead: wanted }, () => setRead(wanted)).then(
      (problem) => problem && announceProblem(problem),
    );
  return (
    <button type="button" class="button button-large" aria-pressed={isRead} onClick={() => mark(!isRead)}>
      <Icon name="check" /> {isRead ? t().reader.markedRead : t().reader.markRead}
    </button>
  );
}

function Related({ albumId }: { albumId: string }) {
  const { data } = useQuery<{ album: { related: AlbumLine[] | null } | null }>(RELATED, { id: albumId, me: isPerson.value });
  const related = data?.album?.related ?? [];
  if (related.length === 0) return null;
  return (
    <div class="related">
      <h2>{t().album.related}</h2>
      <AlbumGrid entries={related.map((album) => ({ album }))} />
    </div>
  );
}
