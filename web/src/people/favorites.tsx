/** Favourites of the account of the site: folders, orders, pages. */
import { useEffect } from "preact/hooks";
import { FAVORITE_IDS, FAVORITES } from "../api/documents";
import { uncached } from "../api/client";
import { useQuery } from "../api/hooks";
import type { AlbumPage, SiteAccount } from "../api/types";
import { AlbumGrid, GridSkeleton } from "../components/grid";
import { Message, ProblemMessage } from "../components/message";
import { Pager } from "../components/pager";
import { Select, Switch } from "../components/switches";
import { Waiting } from "../components/waiting";
import { DownloadAll, type IdsPage } from "../downloads/bulk";
import { t } from "../i18n";
import { number } from "../i18n/formats";
import { go, href, route, type Params } from "../router";
import { choice, pageOf, paramOf } from "../views/choices";
import { useTitle } from "../views/title";
import { isMenuOpen } from "./menu";
import { hasSiteAccount, siteSessionEnded, viewer } from "./viewer";

const ORDERS = ["ADDED", "UPDATED"] as const;
const ALL = "0";

interface FavoritesAnswer {
  viewer: { siteAccount: (SiteAccount & { folders: { id: string; name: string }[] | null; favorites: AlbumPage | null }) | null } | null;
}

export function FavoritesView() {
  const words = t().people;
  useTitle(words.favorites);
  return hasSiteAccount.value ? <Favorites /> : <NotConnected />;
}

function NotConnected() {
  const words = t().people;
  const account = viewer.value?.siteAccount;
  return (
    <Message isView title={words.notConnected} hint={account ? words.expired(account.username) : words.notConnectedHint}>
      <button type="button" class="button button-primary" onClick={() => (isMenuOpen.value = true)}>{words.connect}</button>
    </Message>
  );
}

function Favorites() {
  const words = t().people;
  const { params } = route.value;
  const state = { folder: params["folder"] ?? ALL, orderBy: choice(params["order"], ORDERS, "ADDED"), page: pageOf(params["page"]) };
  const answer = useQuery<FavoritesAnswer>(FAVORITES, { ...state, me: true }, "cache-and-network");
  const account = answer.data?.viewer?.siteAccount;
  useEffect(() => {
    if (account?.state === "EXPIRED") siteSessionEnded();
  }, [account?.state]);
  const with_ = (change: Partial<typeof state>): Params => {
    const next = { ...state, page: 1, ...change };
    return { folder: paramOf(next.folder, ALL), order: paramOf(next.orderBy, "ADDED"), page: next.page > 1 ? next.page : undefined };
  };
  const to = (change: Partial<typeof state>): string => href(["favorites"], with_(change));
  const page = account?.favorites;
  const folders = account?.folders ?? [];
  return (
    <>
      <div class="view-head">
        <h1>{words.favorites}</h1>
        <p class="quiet" aria-live="polite">{page ? t().list.total(number(page.total)) : " "}</p>
      </div>
      <div class="toolbar">
        <Switch label={t().list.order} value={state.orderBy as (typeof ORDERS)[number]} options={words.orders} order={ORDERS} to={(orderBy) => to({ orderBy })} />
        <Select
          label={words.folder}
          value={state.folder}
          options={Object.fromEntries(folders.length ? folders.map(({ id, name }) => [id, name]) : [[state.folder, words.allFolders]])}
          order={folders.length ? folders.map(({ id }) => id) : [state.folder]}
          onChange={(folder) => go(["favorites"], with_({ folder }))}
        />
        {page && <DownloadAll count={page.total} load={(wanted) => idsOf({ ...state, page: wanted })} />}
      </div>
      {answer.isLoading && <Waiting onStop={answer.stop}><GridSkeleton count={20} /></Waiting>}
      {!page && answer.problem && <ProblemMessage problem={answer.problem} onRetry={answer.reload} />}
      {page?.items.length === 0 && <Message title={t().list.empty} hint={words.noFavorites} />}
      {page && <AlbumGrid entries={page.items.map((album) => ({ album, isFavorite: true }))} />}
      {page && <Pager page={state.page} count={page.pageCount} to={(number_) => to({ page: number_ })} />}
    </>
  );
}

interface IdsAnswer {
  viewer: { siteAccount: { favorites: { pageCount: number; items: { id: string }[] } | null } | null } | null;
}

async function idsOf(state: { folder: string; orderBy: string; page: number }): Promise<IdsPage | null> {
  const { data } = await uncached.query<IdsAnswer>(FAVORITE_IDS, state).toPromise();
  const page = data?.viewer?.siteAccount?.favorites;
  return page ? { ids: page.items.map(({ id }) => id), pageCount: page.pageCount } : null;
}
