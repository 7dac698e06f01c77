/** Layout of the page: bar, view, panels. */
import { live } from "./api/client";
import { Drawer, isDrawerOpen } from "./downloads/drawer";
import { activeCount } from "./downloads/store";
import { isChinese, language, otherLanguage, t } from "./i18n";
import { AddTagPanel } from "./components/add-tag";
import { serverStatus } from "./components/health";
import { Icon, type IconName } from "./components/icons";
import { KeysPanel } from "./components/keys";
import { Message } from "./components/message";
import { Toasts } from "./components/toasts";
import { isSettingsOpen, SettingsPanel } from "./components/settings";
import { isStatusOpen, StatusPanel, useHealth } from "./components/status";
import { kept } from "./offline/kept";
import { OfflineView } from "./offline/view";
import { FavoritesView } from "./people/favorites";
import { HistoryView } from "./people/history";
import { LibraryView } from "./people/library";
import { newsCount } from "./people/library-news";
import { LoginView } from "./people/login";
import { isMenuOpen, PersonMenu } from "./people/menu";
import { access, isPerson, viewer } from "./people/viewer";
import { href, route, type Route } from "./router";
import { AlbumView } from "./views/album";
import { RankingView } from "./views/ranking";
import { ReaderView } from "./views/reader";
import { SearchView } from "./views/search";
import { TagsView } from "./views/tags";
import { useTitle } from "./views/title";

export function App() {
  if (access.value === "closed") return <Closed />;
  return <Open />;
}

/** A server that shows nothing without a login. */
function Closed() {
  return (
    <>
      <header class="bar">
        <Brand />
        <div class="bar-end"><LanguageButton /></div>
      </header>
      <main id="content" tabIndex={-1}><LoginView /></main>
    </>
  );
}

/** Watches the server, once it may be asked. */
function Health() {
  useHealth();
  return null;
}

function Open() {
  const { path } = route.value;
  const isReading = path[0] === "album" && path[2] === "read";
  const view = access.value === "waiting" ? null : <View route={route.value} />;
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>{t().app.skip}</a>
      {access.value === "open" && <Health />}
      {!isReading && <Bar />}
      {isReading ? view : <main id="content" tabIndex={-1}>{view}</main>}
      {!isReading && <Footer />}
      {!live.value && <Offline />}
      <Drawer />
      <StatusPanel />
      <SettingsPanel />
      <PersonMenu />
      <AddTagPanel />
      <KeysPanel />
      <Toasts />
    </>
  );
}

/** The server is away: what is on this device can be read. */
function Offline() {
  return (
    <p class="offline" role="status">
      {t().app.offline} {kept.value.length > 0 && <a href={href(["offline"])}>{t().offline.open}</a>}
    </p>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function View({ route: { path } }: { route: Route }) {
  const [view, id, , chapter] = path;
  if (view === undefined) return <RankingView />;
  if (view === "search") return <SearchView />;
  if (view === "tags") return <TagsView />;
  if (view === "library" && isPerson.value) return <LibraryView />;
  if (view === "offline") return <OfflineView />;
  if (view === "favorites" && isPerson.value) return <FavoritesView />;
  if (view === "history" && isPerson.value) return <HistoryView />;
  if (view === "album" && id) {
    return path[2] === "read" ? <ReaderView key={`${id}/${chapter}`} albumId={id} chapterId={chapter ?? id} /> : <AlbumView key={id} id={id} />;
  }
  return <NotFound />;
}

function NotFound() {
  useTitle(t().list.empty);
  return (
    <Message isView title={t().list.empty} hint={t().problem.codes["NOT_FOUND"]?.[1] ?? ""}>
      <a class="button" href={href([])}>{t().app.rankings}</a>
    </Message>
  );
}

function Bar() {
  const words = t().app;
  const [view] = route.value.path;
  return (
    <header class="bar">
      <Brand />
      <nav class="bar-nav" aria-label={words.main}>
        <NavLink to={href([])} icon="ranking" text={words.rankings} isHere={view === undefined} />
        <NavLink to={href(["search"])} icon="search" text={words.search} isHere={view === "search"} />
        <NavLink to={href(["tags"])} icon="tags" text={words.tags} isHere={view === "tags"} />
        {isPerson.value && (
          <NavLink to={href(["library"])} icon="library" text={t().library.title} isHere={view === "library"} count={newsCount.value} label={t().library.open(newsCount.value)} />
        )}
        <button
          type="button"
          class="nav-link nav-downloads"
          aria-label={t().download.openDrawer(activeCount.value)}
          aria-haspopup="dialog"
          onClick={() => (isDrawerOpen.value = true)}
        >
          <Icon name="download" />
          <span>{words.downloads}</span>
          {activeCount.value > 0 && <span class="badge" aria-hidden="true">{activeCount.value}</span>}
        </button>
      </nav>
      <div class="bar-end">
        <button
          type="button"
          class={`button button-quiet server-status-${serverStatus.value}`}
          aria-label={`${words.status}: ${t().status[serverStatus.value]}`}
          aria-haspopup="dialog"
          onClick={() => (isStatusOpen.value = true)}
        >
          <span class="status-dot" aria-hidden="true" />
          <span class="wide-only" aria-hidden="true">{words.status}</span>
        </button>
        <LanguageButton />
        <button type="button" class="button button-icon" aria-label={t().people.menu(viewer.value?.user.name ?? "")} aria-haspopup="dialog" onClick={() => (isMenuOpen.value = true)}>
          <Icon name="person" />
        </button>
        <button type="button" class="button button-icon" aria-label={words.settings} aria-haspopup="dialog" onClick={() => (isSettingsOpen.value = true)}>
          <Icon name="settings" />
        </button>
      </div>
    </header>
  );
}

function Brand() {
  return (
    <a class="brand" href={href([])} aria-label="jmgraph">
      <span class="brand-mark" aria-hidden="true">jm</span>
      <span class="brand-name" aria-hidden="true">graph</span>
    </a>
  );
}

function LanguageButton() {
  return (
    <button
      type="button"
      class="button button-quiet"
      lang={isChinese() ? "en" : "zh"}
      onClick={() => (language.value = otherLanguage())}
    >
      {isChinese() ? "English" : "中文"}
    </button>
  );
}

interface NavLinkProps {
  to: string;
  icon: IconName;
  text: string;
  isHere: boolean;
  /** Shown as a badge, where it is not 0; `label` says it in words. */
  count?: number;
  label?: string;
}

function NavLink({ to, icon, text, isHere, count = 0, label }: NavLinkProps) {
  return (
    <a class="nav-link" href={to} aria-current={isHere ? "page" : undefined} aria-label={label}>
      <Icon name={icon} />
      <span>{text}</span>
      {count > 0 && <span class="badge" aria-hidden="true">{count}</span>}
    </a>
  );
}

function Footer() {
  return (
    <footer class="foot">
      <a href="./graphql">GraphiQL</a>
    </footer>
  );
}
