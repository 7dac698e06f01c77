/** The library: albums that a person keeps an eye on, those with new chapters marked. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ADD_TO_LIBRARY, CHECK_LIBRARY, LIBRARY, REMOVE_FROM_LIBRARY } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Problem } from "../api/problems";
import type { Album, LibraryEntry } from "../api/types";
import { Cover } from "../components/cover";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { Select, Switch } from "../components/switches";
import { announce, announceProblem } from "../components/toasts";
import { DownloadAll } from "../downloads/bulk";
import { t } from "../i18n";
import { number, relative } from "../i18n/formats";
import { go, href, replace, route, type Params } from "../router";
import { choice, paramOf } from "../views/choices";
import { useTitle } from "../views/title";
import { libraryChanged, libraryRevision } from "./library-news";
import { change } from "./viewer";

const ORDERS = ["ADDED", "UPDATED", "READ", "TITLE"] as const;
const SHOWN = ["ALL", "NEW", "OLD"] as const;
const FIRST = 60;
const TYPING_MS = 250;

interface LibraryAnswer {
  viewer: { library: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string | null }; nodes: LibraryEntry[] } } | null;
}

interface Filter {
  hasNew?: boolean;
  query?: string;
  orderBy: (typeof ORDERS)[number];
}

export function LibraryView() {
  const words = t().library;
  const { params } = route.value;
  const state = { show: choice(params["show"], SHOWN, "ALL"), orderBy: choice(params["order"], ORDERS, "ADDED"), query: (params["q"] ?? "").trim() };
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const [total, setTotal] = useState<number | null>(null);
  useTitle(words.title);
  const with_ = (part: Partial<typeof state>): Params => {
    const next = { ...state, ...part };
    return { show: paramOf(next.show, "ALL"), order: paramOf(next.orderBy, "ADDED"), q: next.query };
  };
  const key = JSON.stringify(state);
  useEffect(() => setCursors([null]), [key]);
  const filter: Filter = {
    ...(state.show === "ALL" ? {} : { hasNew: state.show === "NEW" }),
    ...(state.query ? { query: state.query } : {}),
    orderBy: state.orderBy,
  };
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <div class="view-head">
        <h1>{words.title}</h1>
        <p class="quiet" aria-live="polite">{total === null ? " " : t().list.total(number(total))}</p>
      </div>
      <div class="toolbar">
        <Switch label={words.show} value={state.show as (typeof SHOWN)[number]} options={words.shown} order={SHOWN} to={(show) => href(["library"], with_({ show }))} />
        <Select label={t().list.order} value={state.orderBy} options={words.orders} order={ORDERS} onChange={(orderBy) => go(["library"], with_({ orderBy }))} />
        <Finder query={state.query} onQuery={(query) => replace(["library"], with_({ query }))} />
        <CheckNow />
        <button type="button" class="button" aria-pressed={chosen !== null} onClick={() => setChosen(chosen ? null : new Set())}>{words.select}</button>
      </div>
      {chosen && <Selection chosen={chosen} onDone={() => setChosen(null)} />}
      <ul class="library" role="list">
        {cursors.map((after, index) => (
          <EntryPage
            key={`${key}${after ?? ""}`}
            filter={filter}
            after={after}
            isFiltered={state.show !== "ALL" || state.query !== ""}
            isLast={index === cursors.length - 1}
            chosen={chosen}
            onToggle={toggle}
            onTotal={setTotal}
            onMore={(cursor) => setCursors([...cursors, cursor])}
          />
        ))}
      </ul>
    </>
  );
}

function Finder({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const [text, setText] = useState(query);
  const latest = useRef(onQuery);
  latest.current = onQuery;
  useEffect(() => {
    if (text.trim() === query) return;
    const timer = setTimeout(() => latest.current(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input type="search" class="finder" value={text} aria-label={t().library.find} placeholder={t().library.find} onInput={(event) => setText(event.currentTarget.value)} />
  );
}

function CheckNow() {
  const words = t().library;
  const check = async (): Promise<void> => {
    const problem = await change<number>(CHECK_LIBRARY, {}, (count) => announce(words.checking(count), null));
    if (problem) announceProblem(problem);
  };
  return (
    <button type="button" class="button" onClick={() => void check()}>
      <Icon name="retry" size={16} /> {words.check}
    </button>
  );
}

/** What can be done with the albums that were chosen. */
function Selection({ chosen, onDone }: { chosen: ReadonlySet<string>; onDone: () => void }) {
  const words = t().library;
  const ids = [...chosen];
  const remove = async (): Promise<void> => {
    if (!confirm(words.removeSure(ids.length))) return;
    for (const albumId of ids) {
      const problem = await change(REMOVE_FROM_LIBRARY, { albumId });
      if (problem) return announceProblem(problem);
    }
    onDone();
    libraryChanged();
  };
  return (
    <div class="selection" role="group" aria-label={words.selection(ids.length)}>
      <p aria-live="polite">{words.selection(ids.length)}</p>
      <DownloadAll count={ids.length} load={async () => ({ ids, pageCount: 1 })} onDone={onDone} />
      <button type="button" class="button" disabled={ids.length === 0} onClick={() => void remove()}>
        <Icon name="trash" size={16} /> {words.remove}
      </button>
    </div>
  );
}

interface EntryPageProps {
  filter: Filter;
  after: string | null;
  isFiltered: boolean;
  isLast: boolean;
  chosen: ReadonlySet<string> | null;
  onToggle: (id: string) => void;
  onTotal: (count: number) => void;
  onMore: (cursor: string) => void;
}

function EntryPage({ filter, after, isFiltered, isLast, chosen, onToggle, onTotal, onMore }: EntryPageProps) {
  const words = t().library;
  const { data, problem, isLoading, reload } = useQuery<LibraryAnswer>(LIBRARY, { filter, first: FIRST, after, me: true }, "cache-and-network");
  const first = useRef(libraryRevision.peek());
  const revision = libraryRevision.value;
  useEffect(() => {
    if (revision !== first.current) reload();
    first.current = revision;
  }, [revision]);
  const library = data?.viewer?.library;
  useEffect(() => {
    if (library) onTotal(library.totalCount);
  }, [library?.totalCount]);
  if (isLoading) return <li class="skeleton lines" aria-hidden="true" />;
  if (!library) return <li class="library-note">{problem && <ProblemMessage problem={problem} onRetry={reload} />}</li>;
  if (library.nodes.length === 0 && after === null) {
    return (
      <li class="library-note">
        <Message title={isFiltered ? words.noMatch : words.empty} hint={isFiltered ? words.noMatchHint : words.emptyHint}>
          {isFiltered ? <a class="button" href={href(["library"])}>{words.all}</a> : <a class="button" href={href([])}>{t().app.rankings}</a>}
        </Message>
      </li>
    );
  }
  const { endCursor, hasNextPage } = library.pageInfo;
  return (
    <>
      {library.nodes.map((entry) => (
        <Entry key={entry.album.id} entry={entry} isChosen={chosen && chosen.has(entry.album.id)} onToggle={() => onToggle(entry.album.id)} />
      ))}
      {isLast && hasNextPage && endCursor !== null && (
        <li class="library-note"><button type="button" class="button" onClick={() => onMore(endCursor)}>{t().tags.more}</button></li>
      )}
    </>
  );
}

/** `isChosen` null: albums are not being chosen. */
function Entry({ entry, isChosen, onToggle }: { entry: LibraryEntry; isChosen: boolean | null; onToggle: () => void }) {
  const words = t().library;
  const { album, newChapters, unreadCount } = entry;
  const title = album.title || t().list.untitled;
  const [newest] = newChapters;
  return (
    <li class="library-entry">
      {isChosen !== null && <input type="checkbox" aria-label={words.choose(title)} checked={isChosen} onChange={onToggle} />}
      <a class="library-cover" href={href(["album", album.id])} tabIndex={-1} aria-hidden="true">
        <Cover cover={album.cover} alt="" />
      </a>
      <div class="library-about">
        <p>
          <a href={href(["album", album.id])}>{title}</a>{" "}
          {newChapters.length > 0 && <span class="badge">{words.news(newChapters.length)}</span>}
        </p>
        <p class="quiet">
          {[
            album.progress && (album.progress.isFinished ? t().people.read : t().people.pageOf(album.progress.page, album.progress.pageCount)),
            words.unread(unreadCount),
            entry.lastCheckedAt && words.checked(relative(entry.lastCheckedAt)),
          ].filter(Boolean).join(" · ")}
        </p>
        {entry.lastError && <p class="library-error">{words.failed}</p>}
        <details class="library-settings">
          <summary>{words.settings}<span class="hidden">: {title}</span></summary>
          <Settings albumId={album.id} title={title} entry={entry} onChange={libraryChanged} />
        </details>
      </div>
      {newest && <a class="button button-small" href={href(["album", album.id, "read", newest.id])}>{words.readNew}</a>}
    </li>
  );
}

interface SettingsProps {
  albumId: string;
  title: string;
  entry: Pick<LibraryEntry, "autoDownload" | "notify">;
  onChange: () => void;
}

/** How an album of the library is followed. */
function Settings({ albumId, title, entry: { autoDownload, notify }, onChange }: SettingsProps) {
  const words = t().library;
  const set = (input: Partial<SettingsProps["entry"]>): void =>
    void change(ADD_TO_LIBRARY, { input: { albumId, autoDownload, notify, ...input } }, onChange).then((problem) => problem && announceProblem(problem));
  const remove = (): void =>
    void change(REMOVE_FROM_LIBRARY, { albumId }, onChange).then((problem) => problem && announceProblem(problem));
  return (
    <>
      <label class="check">
        <input type="checkbox" checked={autoDownload} onChange={(event) => set({ autoDownload: event.currentTarget.checked })} /> {words.autoDownload}
      </label>
      <label class="check">
        <input type="checkbox" checked={notify} onChange={(event) => set({ notify: event.currentTarget.checked })} /> {words.notify}
      </label>
      <button type="button" class="button button-small" onClick={remove}>
        <Icon name="trash" size={16} /> {words.remove}<span class="hidden">: {title}</span>
      </button>
    </>
  );
}

/** Adds an album to the library; what is there can be set and removed. */
export function LibraryButton({ album, onChange }: { album: Album; onChange: () => void }) {
  const words = t().library;
  const [problem, setProblem] = useState<Problem | null>(null);
  const entry = album.libraryEntry ?? null;
  const changed = (): void => {
    onChange();
    libraryChanged();
  };
  useEffect(() => {
    if (problem) announceProblem(problem);
  }, [problem]);
  if (!entry) {
    const add = (): void => void change(ADD_TO_LIBRARY, { input: { albumId: album.id } }, changed).then(setProblem);
    return (
      <button type="button" class="button button-large" aria-label={words.add} onClick={add}>
        <Icon name="library" /> <span class="wide-only">{words.add}</span>
      </button>
    );
  }
  return (
    <details class="in-library">
      <summary class="button button-large" aria-label={words.inLibrary}><Icon name="check" /> <span class="wide-only">{words.inLibrary}</span></summary>
      <div class="in-library-box">
        {entry.lastError && <p class="library-error">{words.failed}</p>}
        <Settings albumId={album.id} title={album.title} entry={entry} onChange={changed} />
      </div>
    </details>
  );
}
