/** The reader: one chapter, pages fetched as needed, the position stored. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { READER } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Chapter, Page } from "../api/types";
import { t } from "../i18n";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { Select } from "../components/switches";
import { Waiting } from "../components/waiting";
import { storedSignal } from "../stored";
import { report } from "../people/progress";
import { isPerson } from "../people/viewer";
import { go, href, parseHash, replace, route } from "../router";
import { pageOf } from "./choices";
import { saveReadingPosition } from "./reading-positions";
import { PagedPages } from "./reader-paged";
import { ScrolledPages } from "./reader-scrolled";
import { MODES, pageAfter, stepOfKey, within, type Mode, type Step } from "./reading";
import { useTitle } from "./title";

interface ReaderAnswer {
  album: { id: string; title: string; chapters: Chapter[] | null } | null;
  chapter: (Chapter & { pages: Page[] | null }) | null;
}

/** The last page of a chapter whose length is not known yet. */
const LAST_PAGE = 99999;

const mode = storedSignal<Mode>("reader", "scroll");

export function ReaderView({ albumId, chapterId }: { albumId: string; chapterId: string }) {
  const { data, problem, isLoading, reload, stop } = useQuery<ReaderAnswer>(READER, { id: albumId, chapter: chapterId });
  const album = data?.album;
  const chapter = data?.chapter;
  useTitle(album?.title ?? t().album.read);
  if (isLoading) {
    return (
      <main id="content" class="reader reader-waiting" tabIndex={-1}>
        <h1 class="hidden">{t().album.number(albumId)}</h1>
        <Waiting onStop={stop}><div class="skeleton reader-page" aria-hidden="true" /></Waiting>
      </main>
    );
  }
  // A chapter of another album must not be stored as the position in this one.
  const isElsewhere = Boolean(album?.chapters?.length) && !album?.chapters?.some(({ id }) => id === chapter?.id);
  if (!album || !chapter?.pages?.length || isElsewhere) {
    return (
      <main id="content" class="reader reader-waiting" tabIndex={-1}>
        {problem ? (
          <ProblemMessage isView problem={problem} onRetry={reload} />
        ) : (
          <Message isView title={album ? t().reader.missing : t().album.missing(albumId)} hint={album ? "" : t().album.missingHint} />
        )}
        <a class="button" href={href(["album", albumId])}>{t().reader.back}</a>
      </main>
    );
  }
  return <Reading key={chapter.id} albumId={album.id} title={album.title} chapters={album.chapters ?? []} chapter={chapter} pages={chapter.pages} />;
}

/** True when the focused control uses the key itself: a list or slider any key, a button Space. */
function isForControl({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement) || key === "Escape") return false;
  return target.matches("select, input") || (target.matches("button") && key === " ");
}

interface ReadingProps {
  albumId: string;
  title: string;
  chapters: readonly Chapter[];
  chapter: Chapter;
  pages: readonly Page[];
}

function Reading({ albumId, title, chapters, chapter, pages }: ReadingProps) {
  const words = t().reader;
  const [page, setPage] = useState(() => within(pageOf(route.value.params["page"]), pages.length));
  /** The page to bring into view; a new object each time, so that the same page can be requested twice. */
  const [target, setTarget] = useState({ page });
  const [hasBars, setBars] = useState(true);
  const at = chapters.findIndex(({ id }) => id === chapter.id);

  useEffect(() => {
    if (isPerson.value) report(albumId, chapter.id, page);
    else saveReadingPosition(albumId, { chapter: chapter.id, page });
    replace(["album", albumId, "read", chapter.id], { page: page > 1 ? page : undefined });
  }, [page]);

  const open = (other: Chapter | undefined, where: "start" | "end"): void => {
    if (other) go(["album", albumId, "read", other.id], { page: where === "end" ? LAST_PAGE : undefined });
  };
  const jump = (wanted: number): void => {
    if (wanted < 1) return open(chapters[at - 1], "end");
    if (wanted > pages.length) return open(chapters[at + 1], "start");
    show(wanted);
  };
  const show = (wanted: number): void => {
    setPage(wanted);
    setTarget({ page: wanted });
  };
  useEffect(() => {
    // Our own steps replace the URL without an event: this one was typed, or is a link.
    const onAddress = (): void => {
      const { path, params } = parseHash(location.hash);
      const isHere = path[1] === albumId && path[2] === "read" && (path[3] ?? albumId) === chapter.id;
      if (isHere) show(within(pageOf(params["page"]), pages.length));
    };
    addEventListener("hashchange", onAddress);
    return () => removeEventListener("hashchange", onAddress);
  }, []);
  const step = (wanted: Step): void => jump(pageAfter(wanted, page, pages.length));

  const keys = useRef<(event: KeyboardEvent) => void>(() => undefined);
  keys.current = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || isForControl(event)) return;
    if (event.key === "Escape") return go(["album", albumId]);
    if (event.key.toLowerCase() === "m") return void (mode.value = MODES[(MODES.indexOf(mode.value) + 1) % MODES.length] ?? "scroll");
    const wanted = stepOfKey(event.key, mode.value);
    if (!wanted) return;
    event.preventDefault();
    step(wanted);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => keys.current(event);
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useLayoutEffect(() => setTarget({ page }), [mode.value]);

  return (
    <div class={`reader reader-${mode.value} ${hasBars ? "" : "reader-bare"}`}>
      <header class="reader-bar reader-top">
        <a class="button button-icon" href={href(["album", albumId])} aria-label={words.back}>
          <Icon name="left" />
        </a>
        <h1 class="reader-title">
          {title}
          {chapters.length > 1 && <span class="quiet"> · {chapter.title}</span>}
        </h1>
        {chapters.length > 1 && (
          <Select
            label={words.chapter}
            value={chapter.id}
            options={Object.fromEntries(chapters.map(({ id, index, title: name }) => [id, `${index}. ${name}`]))}
            order={chapters.map(({ id }) => id)}
            onChange={(id) => go(["album", albumId, "read", id])}
          />
        )}
        <Select label={words.mode} value={mode.value} options={words.modes} order={MODES} onChange={(value) => (mode.value = value)} />
      </header>
      {mode.value === "scroll" ? (
        <ScrolledPages pages={pages} target={target} onPage={setPage} onTap={() => setBars(!hasBars)}>
          <nav class="reader-end" aria-label={words.chapter}>
            {chapters[at - 1] && <button type="button" class="button" onClick={() => open(chapters[at - 1], "start")}>{words.previousChapter}</button>}
            {chapters[at + 1] ? (
              <button type="button" class="button button-primary" onClick={() => open(chapters[at + 1], "start")}>{words.nextChapter}</button>
            ) : (
              <a class="button" href={href(["album", albumId])}>{words.end} · {words.back}</a>
            )}
          </nav>
        </ScrolledPages>
      ) : (
        <PagedPages pages={pages} page={page} mode={mode.value} onStep={step} onTap={() => setBars(!hasBars)} />
      )}
      <footer class="reader-bar reader-bottom" dir={mode.value === "rtl" ? "rtl" : "ltr"}>
        <button type="button" class="button button-icon" aria-label={words.previous} disabled={page === 1 && at === 0} onClick={() => step("previous")}>
          <Icon name={mode.value === "rtl" ? "right" : "left"} />
        </button>
        <input
          type="range"
          min={1}
          max={pages.length}
          value={page}
          aria-label={words.slider}
          aria-valuetext={words.page(page, pages.length)}
          onInput={(event) => jump(event.currentTarget.valueAsNumber)}
        />
        <output class="reader-count" dir="ltr">{page} / {pages.length}</output>
        <button
          type="button"
          class="button button-icon"
          aria-label={words.next}
          disabled={page === pages.length && at === chapters.length - 1}
          onClick={() => step("next")}
        >
          <Icon name={mode.value === "rtl" ? "left" : "right"} />
        </button>
        <p class="hidden">{words.help}</p>
      </footer>
    </div>
  );
}
