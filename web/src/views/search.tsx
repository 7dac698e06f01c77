/** Search of the site. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { uncached } from "../api/client";
import { SEARCH, SEARCH_HEARTS, SEARCH_IDS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumPage } from "../api/types";
import { t } from "../i18n";
import { number } from "../i18n/formats";
import { AlbumGrid, GridSkeleton } from "../components/grid";
import { Message, ProblemMessage } from "../components/message";
import { Pager } from "../components/pager";
import { Icon } from "../components/icons";
import { Select } from "../components/switches";
import { Waiting } from "../components/waiting";
import { DownloadAll, type IdsPage } from "../downloads/bulk";
import { heartsOf, useHearts } from "../people/hearts";
import { isPerson } from "../people/viewer";
import { go, href, replace, route, type Params } from "../router";
import { choice, FIELDS, pageOf, PERIODS, paramOf, SEARCH_ORDERS } from "./choices";
import { Instead } from "./search-instead";
import { numberOf } from "./search-text";
import { useTitle } from "./title";

export function SearchView() {
  const words = t();
  const { params } = route.value;
  const query = (params["q"] ?? "").trim();
  const state = {
    orderBy: choice(params["order"], SEARCH_ORDERS, "LATEST"),
    period: choice(params["period"], PERIODS, "ALL"),
    field: choice(params["field"], FIELDS, "SITE"),
    page: pageOf(params["page"]),
  };
  const albumNumber = params["as"] === "text" ? null : numberOf(query);
  useLayoutEffect(() => {
    if (albumNumber !== null) replace(["album", albumNumber]);
  }, [albumNumber]);
  const variables = query && albumNumber === null ? { query, ...state } : null;
  const answer = useQuery<{ search: AlbumPage }>(SEARCH, variables && { ...variables, me: isPerson.value });
  const hearts = useHearts(SEARCH_HEARTS, variables);
  useTitle(query ? words.search.results(query) : words.search.title);
  const with_ = (change: Partial<typeof state> & { query?: string }): Params => {
    const next = { query, ...state, page: 1, ...change };
    return {
      q: next.query,
      as: next.query === query ? params["as"] : undefined,
      field: paramOf(next.field, "SITE"),
      order: paramOf(next.orderBy, "LATEST"),
      period: paramOf(next.period, "ALL"),
      page: next.page > 1 ? next.page : undefined,
    };
  };
  const change = (part: Partial<typeof state> & { query?: string }): void => go(["search"], with_(part));
  const found = answer.data?.search;
  return (
    <>
      <div class="view-head">
        <h1>{query ? words.search.results(query) : words.search.title}</h1>
        <p class="quiet" aria-live="polite">{found ? words.list.total(number(found.total)) : " "}</p>
      </div>
      <SearchBox query={query} onSearch={(text) => change({ query: text })} />
      <div class="toolbar">
        <Select label={words.list.field} value={state.field} options={words.list.fields} order={FIELDS} onChange={(field) => change({ field })} />
        <Select label={words.list.order} value={state.orderBy} options={words.list.orders} order={SEARCH_ORDERS} onChange={(orderBy) => change({ orderBy })} />
        <Select label={words.list.period} value={state.period} options={words.list.periods} order={PERIODS} onChange={(period) => change({ period })} />
        {found && found.total > 0 && state.field === "AUTHOR" && <DownloadAll count={found.total} load={(page) => idsOf({ query, ...state, page })} />}
      </div>
      {!query && <Message title={words.search.ask} hint={words.search.askHint} />}
      {answer.isLoading && <Waiting onStop={answer.stop}><GridSkeleton /></Waiting>}
      {!found && answer.problem && <ProblemMessage problem={answer.problem} onRetry={answer.reload} />}
      {found && found.items.length === 0 && (
        <Message
          title={words.search.empty(query)}
          hint={state.page > 1 ? words.list.emptyPast : words.search.emptyHint}
        >
          {state.page > 1 && <a class="button" href={href(["search"], with_({}))}>{words.list.firstPage}</a>}
        </Message>
      )}
      {found && found.items.length === 0 && state.page === 1 && (
        <Instead query={query} search={state} to={(text) => href(["search"], with_({ query: text }))} />
      )}
      {found && <AlbumGrid entries={heartsOf(found.items.map((album) => ({ album })), hearts)} />}
      {found && <Pager page={state.page} count={found.pageCount} to={(page) => href(["search"], with_({ page }))} />}
    </>
  );
}

async function idsOf(variables: Record<string, unknown>): Promise<IdsPage | null> {
  const { data } = await uncached.query<{ search: { pageCount: number; items: { id: string }[] } }>(SEARCH_IDS, variables).toPromise();
  return data ? { ids: data.search.items.map(({ id }) => id), pageCount: data.search.pageCount } : null;
}

export function SearchBox({ query, onSearch }: { query: string; onSearch: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.value = query;
  }, [query]);
  return (
    <form
      class="search-box"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(input.current?.value.trim() ?? "");
      }}
    >
      <Icon name="search" />
      <input ref={input} type="search" name="q" defaultValue={query} aria-label={t().search.label} placeholder={t().search.label} autocomplete="off" enterkeyhint="search" />
      <button type="submit" class="button button-primary">{t().search.button}</button>
    </form>
  );
}
