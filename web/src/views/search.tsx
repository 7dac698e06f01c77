/** Search of the site. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { uncached } from "../api/client";
import { SEARCH, SEARCH_HEARTS, SEARCH_IDS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumOrder, AlbumPage, Period, SearchField } from "../api/types";
import { t } from "../i18n";
import { number } from "../i18n/formats";
import { EndlessPages, NOTHING_LOADED, useSpan, type LoadedPage } from "../components/endless";
import { AlbumGrid, GridSkeleton, layout, LAYOUTS } from "../components/grid";
import { Message, ProblemMessage } from "../components/message";
import { Pager } from "../components/pager";
import { SearchBox } from "../components/search-box";
import { Select } from "../components/switches";
import { Waiting } from "../components/waiting";
import { DownloadAll, type IdsPage } from "../downloads/bulk";
import { heartsOf, useHearts } from "../people/hearts";
import { isPerson } from "../people/viewer";
import { go, href, replace, route, type Params } from "../router";
import { CATEGORIES, choice, FIELDS, pageOf, PERIODS, paramOf, SEARCH_ORDERS } from "./choices";
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
    category: choice(params["category"], CATEGORIES, "ALL"),
    page: pageOf(params["page"]),
  };
  const span = useSpan(state.page);
  const [loaded, setLoaded] = useState(NOTHING_LOADED);
  const albumNumber = params["as"] === "text" ? null : numberOf(query);
  useLayoutEffect(() => {
    if (albumNumber !== null) replace(["album", albumNumber]);
  }, [albumNumber]);
  const variables = query && albumNumber === null ? { query, ...state, page: span.first } : null;
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
      category: paramOf(next.category, "ALL"),
      page: next.page > 1 ? next.page : undefined,
    };
  };
  const change = (part: Partial<typeof state> & { query?: string }): void => go(["search"], with_(part));
  const found = answer.data?.search;
  const isReady = span.first === span.last || loaded.key === keyOf({ query, ...state, page: span.last });
  const count = Math.max(found?.pageCount ?? 0, isReady && span.first < span.last ? loaded.count : 0);
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
        <Select label={words.list.category} value={state.category} options={words.list.categories} order={CATEGORIES} onChange={(category) => change({ category })} />
        <Select label={words.list.layout} value={layout.value} options={words.list.layouts} order={LAYOUTS} onChange={(value) => (layout.value = value)} />
        {found && found.total > 0 && state.field === "AUTHOR" && <DownloadAll count={found.total} load={(page) => idsOf({ query, ...state, page })} />}
      </div>
      {!query && <Message title={words.search.ask} hint={words.search.askHint} />}
      {answer.isLoading && <Waiting onStop={answer.stop}><GridSkeleton /></Waiting>}
      {!found && answer.problem && <ProblemMessage problem={answer.problem} sitePath={`search/photos?search_query=${encodeURIComponent(query)}`} onRetry={answer.reload} />}
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
      {found && (
        <EndlessPages
          span={span}
          count={count}
          isReady={isReady}
          path={["search"]}
          paramsOf={(page) => with_({ page })}
          renderPage={(page) => <FurtherPage search={{ query, ...state, page }} onReady={setLoaded} />}
        >
          <AlbumGrid entries={heartsOf(found.items.map((album) => ({ album })), hearts)} />
        </EndlessPages>
      )}
      {found && <Pager page={span.last} count={count} to={(page) => href(["search"], with_({ page }))} />}
    </>
  );
}

async function idsOf(variables: Record<string, unknown>): Promise<IdsPage | null> {
  const { data } = await uncached.query<{ search: { pageCount: number; items: { id: string }[] } }>(SEARCH_IDS, variables).toPromise();
  return data ? { ids: data.search.items.map(({ id }) => id), pageCount: data.search.pageCount } : null;
}

type Search = { query: string; orderBy: AlbumOrder; period: Period; field: SearchField; category: string; page: number };

const keyOf = (search: Search): string => JSON.stringify(search);

/** A page that was scrolled to. */
function FurtherPage({ search, onReady }: { search: Search; onReady: (page: LoadedPage) => void }) {
  const { data, problem, reload } = useQuery<{ search: AlbumPage }>(SEARCH, { ...search, me: isPerson.value });
  const hearts = useHearts(SEARCH_HEARTS, search);
  useEffect(() => {
    if (data) onReady({ key: keyOf(search), count: data.search.pageCount });
  }, [data]);
  if (data) return <AlbumGrid entries={heartsOf(data.search.items.map((album) => ({ album })), hearts)} eagerCount={0} />;
  return problem ? <ProblemMessage problem={problem} onRetry={reload} /> : <GridSkeleton />;
}
