/** The reader: one chapter, pages fetched as needed, the position stored. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { READER } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Chapter, Page } from "../api/types";
import { t } from "../i18n";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { Select } from "../components/switches";
import { Waiting } from "../components/waiting";
import { isStored, keepLastRead, onDevice, readKept, type KeptAnswer } from "../offline/kept";
import { report } from "../people/progress";
import { readerId } from "../people/viewer";
import { go, href, parseHash, replace, route } from "../router";
import { pageOf } from "./choices";
import { saveReadingPosition } from "./reading-positions";
import { ReaderEnd } from "./reader-end";
import { PagedPages, scrollWithin } from "./reader-paged";
import { canFillScreen, ReaderPanel, toggleFullScreen } from "./reader-panel";
import { ScrolledPages } from "./reader-scrolled";
import { background, brightness, gap, hasThumbnails, isTwoPages, modeOf, saveMode, stripWidth } from "./reader-settings";
import { Thumbnails } from "./reader-thumbnails";
import { zoomOfKey, type Zoom } from "./reader-zoom";
import { MODES, pageAfter, spreads, stepOfKey, wayOfKey, within, type Mode, type Step } from "./reading";
import { useTitle } from "./title";

interface ReaderAnswer {
  album: { id: string; title: string; chapters: Chapter[] | null } | null;
  chapter: (Chapter & { pages: Page[] | null }) | null;
}

/** The last page of a chapter whose length is not known yet. */
const LAST_PAGE = 99999;

/** A server that doesn't answer for so long is not waited for, where the chapter is on this device. */
const PATIENCE_MS = 2000;

/** A page at least this much wider than high stands alone where two stand side by side. */
const WIDE = 1.15;

export function ReaderView({ albumId, chapterId }: { albumId: string; chapterId: string }) {
  const { data, problem, isLoading, reload, stop } = useQuery<ReaderAnswer>(READER, { id: albumId, chapter: chapterId });
  const stored = useKept(chapterId, isLoading || problem !== null);
  const album = data?.album ?? stored?.album;
  const chapter = data?.chapter ?? stored?.chapter;
  useTitle(album?.title ?? t().album.read);
  if (isLoading && !stored) {
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
          <ProblemMessage isView problem={problem} sitePath={`photo/${chapterId}`} onRetry={reload} />
        ) : (
          <Message isView title={album ? t().reader.missing : t().album.missing(albumId)} hint={album ? "" : t().album.missingHint} />
        )}
        <a class="button" href={href(["album", albumId])}>{t().reader.back}</a>
      </main>
    );
  }
  return <Reading key={chapter.id} albumId={album.id} title={album.title} chapters={album.chapters ?? []} chapter={chapter} pages={chapter.pages} />;
}

/** A chapter that is kept on this device, once the server has not answered for a moment, or can't. */
function useKept(chapterId: string, isMissing: boolean): KeptAnswer | null {
  const [found, setFound] = useState<KeptAnswer | null>(null);
  useEffect(() => {
    if (!isMissing) return;
    const timer = setTimeout(() => void readKept(chapterId).then(setFound), navigator.onLine ? PATIENCE_MS : 0);
    return () => clearTimeout(timer);
  }, [chapterId, isMissing]);
  return isMissing ? found : null;
}

/** True when the focused control uses the key itself: a list or slider any key, a button Space. */
function isForControl({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement) || key === "Escape") return false;
  return target.matches("select, input") || (target.matches("button, a") && key === " ");
}

/** Whether the window is wider than high: two pages side by side have space there. */
function useIsLandscape(): boolean {
  const query = useMemo(() => matchMedia("(orientation: landscape)"), []);
  const [is, setIs] = useState(query.matches);
  useEffect(() => {
    const onChange = (): void => setIs(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  return is;
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
  const [mode, setMode] = useState(() => modeOf(albumId));
  const [page, setPage] = useState(() => within(pageOf(route.value.params["page"]), pages.length));
  /** Past the last page, where pages are turned. */
  const [isAtEnd, setAtEnd] = useState(false);
  /** The page to bring into view; a new object each time, so that the same page can be requested twice. */
  const [target, setTarget] = useState({ page });
  const [hasBars, setBars] = useState(true);
  const [isPanelOpen, setPanelOpen] = useState(false);
  const [wide, setWide] = useState<ReadonlySet<number>>(new Set());
  const zoom = useRef<Zoom | null>(null);
  const isLandscape = useIsLandscape();
  const at = chapters.findIndex(({ id }) => id === chapter.id);
  const next = chapters[at + 1];
  const isPaged = mode !== "scroll";
  const hasTwo = isPaged && isTwoPages.value && isLandscape;
  const beside = useMemo(
    () => (hasTwo && spreads(pages.length, wide).find((numbers) => numbers.includes(page))) || [page],
    [hasTwo, wide, page, pages.length],
  );

  useEffect(() => {
    // Of two pages the later one was read.
    const read = beside.at(-1) ?? page;
    if (readerId.value) report(albumId, chapter.id, read);
    else saveReadingPosition(albumId, { chapter: chapter.id, page });
    replace(["album", albumId, "read", chapter.id], { page: page > 1 ? page : undefined });
  }, [page, beside.length]);

  const answer: KeptAnswer = { album: { id: albumId, title, chapters: [...chapters] }, chapter: { ...chapter, pages: [...pages] } };
  // Decided once: a chapter that is kept while it is read goes on as it began.
  const pictures = useMemo(() => (isStored(chapter.id) ? pages.map((each) => ({ ...each, url: onDevice(each.url) })) : pages), []);
  useEffect(() => {
    // Whoever turns a page reads it.
    if (page > 1) void keepLastRead(answer);
  }, [page > 1]);

  const open = (other: Chapter | undefined, where: "start" | "end"): void => {
    if (other) go(["album", albumId, "read", other.id], { page: where === "end" ? LAST_PAGE : undefined });
  };
  const jump = (wanted: number): void => {
    if (wanted < 1) return open(chapters[at - 1], "end");
    if (wanted > pages.length) return isAtEnd || isEndInView() ? open(next, "start") : toEnd();
    show(wanted);
  };
  const toEnd = (): void => {
    if (isPaged) setAtEnd(true);
    else setTarget({ page: pages.length + 1 });
  };
  const show = (wanted: number): void => {
    setAtEnd(false);
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
  const step = (wanted: Step): void => {
    if (isAtEnd && wanted === "previous") return setAtEnd(false);
    jump(pageAfter(wanted, beside, pages.length));
  };
  const choose = (wanted: Mode): void => {
    saveMode(albumId, wanted);
    setAtEnd(false);
    setMode(wanted);
  };

  const keys = useRef<(event: KeyboardEvent) => void>(() => undefined);
  keys.current = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || isForControl(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return go(["album", albumId]);
    const letter = KEYS[event.key.toLowerCase()];
    if (letter) return letter(mode, choose);
    const closer = zoomOfKey(event.key, zoom.current?.value ?? 1);
    if (closer !== null) return zoom.current?.to(closer);
    const way = wayOfKey(event.key, event.shiftKey, mode);
    const isScrolled = way !== 0 && scrollWithin(document.getElementById("content"), way);
    const wanted = way === 0 ? stepOfKey(event.key, mode) : way > 0 ? "next" : "previous";
    if (!wanted) return;
    event.preventDefault();
    if (!isScrolled) step(wanted);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => keys.current(event);
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useLayoutEffect(() => setTarget({ page }), [mode]);

  const end = <ReaderEnd albumId={albumId} chapter={chapter} previous={chapters[at - 1]} next={next} onOpen={(other) => open(other, "start")} />;
  const counted = `${beside.join("–")} / ${pages.length}`;
  const look = { "--strip": `${stripWidth.value}px`, "--gap": `${gap.value}px`, "--brightness": `${brightness.value / 100}` };
  return (
    <div class={`reader reader-${mode} reader-on-${background.value} ${hasBars ? "" : "reader-bare"}`} style={look}>
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
        <Select label={words.mode} value={mode} options={words.modes} order={MODES} onChange={choose} />
        {canFillScreen() && (
          <button type="button" class="button button-icon reader-wide" aria-label={words.fullScreen} onClick={toggleFullScreen}>
            <Icon name="expand" />
          </button>
        )}
        <button type="button" class="button button-icon" aria-label={words.settings} aria-haspopup="dialog" onClick={() => setPanelOpen(true)}>
          <Icon name="settings" />
        </button>
      </header>
      {isPaged ? (
        <PagedPages
          pages={pictures}
          shown={isAtEnd ? [] : beside}
          mode={mode}
          zoomRef={zoom}
          onStep={step}
          onTap={() => setBars(!hasBars)}
          onRatio={(number, ratio) => ratio > WIDE && !wide.has(number) && setWide(new Set([...wide, number]))}
        >
          {end}
        </PagedPages>
      ) : (
        <ScrolledPages pages={pictures} target={target} page={page} zoomRef={zoom} onPage={setPage} onTap={() => setBars(!hasBars)}>
          {end}
        </ScrolledPages>
      )}
      {!hasBars && !isAtEnd && <p key={page} class="reader-counter" aria-hidden="true">{counted}</p>}
      <footer class="reader-bar reader-bottom" dir={mode === "rtl" ? "rtl" : "ltr"}>
        {hasThumbnails.value && <Thumbnails pages={pages} shown={beside} onPick={show} />}
        <div class="reader-steps">
          <button type="button" class="button button-icon" aria-label={words.previous} disabled={page === 1 && at === 0} onClick={() => step("previous")}>
            <Icon name={mode === "rtl" ? "right" : "left"} />
          </button>
          <input
            type="range"
            min={1}
            max={pages.length}
            value={page}
            aria-label={words.slider}
            aria-valuetext={words.page(page, pages.length)}
            onInput={(event) => show(event.currentTarget.valueAsNumber)}
          />
          <output class="reader-count" dir="ltr">{counted}</output>
          <button
            type="button"
            class="button button-icon"
            aria-label={words.thumbnails}
            aria-pressed={hasThumbnails.value}
            onClick={() => (hasThumbnails.value = !hasThumbnails.value)}
          >
            <Icon name="thumbnails" />
          </button>
          <button type="button" class="button button-icon" aria-label={words.next} disabled={isAtEnd && !next} onClick={() => step("next")}>
            <Icon name={mode === "rtl" ? "left" : "right"} />
          </button>
        </div>
        <p class="hidden">{words.help}</p>
      </footer>
      {isPanelOpen && <ReaderPanel mode={mode} answer={answer} onClose={() => setPanelOpen(false)} />}
    </div>
  );
}

/** Keys that change how it looks. */
const KEYS: Readonly<Record<string, (mode: Mode, choose: (mode: Mode) => void) => void>> = {
  m: (mode, choose) => choose(MODES[(MODES.indexOf(mode) + 1) % MODES.length] ?? "scroll"),
  f: () => canFillScreen() && toggleFullScreen(),
  t: () => void (hasThumbnails.value = !hasThumbnails.value),
  d: () => void (isTwoPages.value = !isTwoPages.value),
};

/** Whether the end of a scrolled chapter is what the window shows. */
function isEndInView(): boolean {
  const end = document.querySelector(".reader-scroll .reader-end")?.getBoundingClientRect();
  const isBottom = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  return end !== undefined && (isBottom || end.top < innerHeight / 2);
}
