/** Rankings by period. */
import { useEffect, useState } from "preact/hooks";
import { client } from "../api/client";
import { RANDOM, RANKING, RANKING_HEARTS } from "../api/documents";
import { useQuery } from "../api/hooks";
import { problemOf } from "../api/problems";
import type { AlbumLine, AlbumOrder, Period } from "../api/types";
import { t } from "../i18n";
import { number } from "../i18n/formats";
import { EndlessPages, NOTHING_LOADED, useSpan, type LoadedPage } from "../components/endless";
import { AlbumGrid, GridSkeleton, layout, LAYOUTS } from "../components/grid";
import { Message, ProblemMessage } from "../components/message";
import { Pager } from "../components/pager";
import { Select, Switch } from "../components/switches";
import { announceProblem } from "../components/toasts";
import { Waiting } from "../components/waiting";
import { ContinueReading } from "../people/continue";
import { heartsOf, useHearts } from "../people/hearts";
import { isPerson } from "../people/viewer";
import { go, href, route, type Params } from "../router";
import { CATEGORIES, choice, landing, pageOf, PERIODS, RANKING_ORDERS, paramOf } from "./choices";
import { useTitle } from "./title";

/** Albums on a page of the site's rankings. */
const PAGE_SIZE = 80;

interface RankingAnswer {
  ranking: { total: number; hasNextPage: boolean; entries: { rank: number; album: AlbumLine }[] };
}

export function RankingView() {
  const words = t().list;
  const { params } = route.value;
  const isLanding = Object.keys(params).every((name) => name === "page");
  const orderBy = choice(params["order"], RANKING_ORDERS, isLanding ? landing.value : "VIEWS");
  const state = {
    period: choice(params["period"], PERIODS, usualPeriod(orderBy)),
    orderBy,
    category: choice(params["category"], CATEGORIES, "ALL"),
    page: pageOf(params["page"]),
  };
  const span = useSpan(state.page);
  const listed = { ...state, page: span.first };
  const answer = useQuery<RankingAnswer>(RANKING, { ...listed, me: isPerson.value }, "cache-and-network");
  const hearts = useHearts(RANKING_HEARTS, listed);
  const [loaded, setLoaded] = useState(NOTHING_LOADED);
  useTitle(t().app.rankings);
  const with_ = (change: Partial<typeof state>): Params => {
    const isOther = change.orderBy !== undefined && change.orderBy !== state.orderBy;
    const next = { ...state, page: 1, ...(isOther ? { period: usualPeriod(change.orderBy) } : {}), ...change };
    return {
      period: paramOf(next.period, usualPeriod(next.orderBy)),
      order: landing.value === "LATEST" ? next.orderBy.toLowerCase() : paramOf(next.orderBy, "VIEWS"),
      category: paramOf(next.category, "ALL"),
      page: next.page > 1 ? next.page : undefined,
    };
  };
  const to = (change: Partial<typeof state>): string => href([], with_(change));
  const ranking = answer.data?.ranking;
  const isReady = span.first === span.last || loaded.key === keyOf({ ...state, page: span.last });
  const count = Math.max(ranking ? pageCount(ranking, span.first) : 0, isReady && span.first < span.last ? loaded.count : 0);
  return (
    <>
      {isPerson.value && state.page === 1 && <ContinueReading />}
      <div class="view-head">
        <h1>{t().app.rankings}</h1>
        <p class="quiet" aria-live="polite">{ranking ? words.total(number(ranking.total)) : " "}</p>
      </div>
      <div class="toolbar">
        <Switch label={words.period} value={state.period} options={words.periods} order={PERIODS} to={(period) => to({ period })} />
        <Switch
          label={words.order}
          value={state.orderBy as (typeof RANKING_ORDERS)[number]}
          options={words.orders}
          order={RANKING_ORDERS}
          to={(orderBy) => to({ orderBy })}
        />
        <Select
          label={words.category}
          value={state.category}
          options={words.categories}
          order={CATEGORIES}
          onChange={(category) => go([], with_({ category }))}
        />
        <Select label={words.layout} value={layout.value} options={words.layouts} order={LAYOUTS} onChange={(value) => (layout.value = value)} />
        <RandomAlbum />
      </div>
      {answer.isLoading && <Waiting onStop={answer.stop}><GridSkeleton /></Waiting>}
      {!ranking && answer.problem && <ProblemMessage problem={answer.problem} onRetry={answer.reload} />}
      {ranking && ranking.entries.length === 0 && (
        <Message title={words.empty} hint={state.page > 1 ? words.emptyPast : words.emptyRanking}>
          {state.page > 1 ? (
            <a class="button" href={to({})}>{words.firstPage}</a>
          ) : (
            <a class="button" href={to({ period: "ALL" })}>{words.longer}</a>
          )}
        </Message>
      )}
      {ranking && (
        <EndlessPages
          span={span}
          count={count}
          isReady={isReady}
          path={[]}
          paramsOf={(page) => with_({ page })}
          renderPage={(page) => <FurtherPage state={{ ...state, page }} onReady={setLoaded} />}
        >
          <AlbumGrid entries={heartsOf(ranking.entries, hearts)} />
        </EndlessPages>
      )}
      {ranking && <Pager page={span.last} count={count} to={(page) => to({ page })} />}
    </>
  );
}

type RankingState = { period: Period; orderBy: AlbumOrder; category: string; page: number };

const keyOf = (state: RankingState): string => JSON.stringify(state);

/** New albums have no period unless one is chosen. */
function usualPeriod(orderBy: AlbumOrder | undefined): Period {
  return orderBy === "LATEST" ? "ALL" : "WEEK";
}

/** A page that was scrolled to. */
function FurtherPage({ state, onReady }: { state: RankingState; onReady: (page: LoadedPage) => void }) {
  const { data, problem, reload } = useQuery<RankingAnswer>(RANKING, { ...state, me: isPerson.value });
  const hearts = useHearts(RANKING_HEARTS, { ...state });
  useEffect(() => {
    if (data) onReady({ key: keyOf(state), count: pageCount(data.ranking, state.page) });
  }, [data]);
  if (data) return <AlbumGrid entries={heartsOf(data.ranking.entries, hearts)} eagerCount={0} />;
  return problem ? <ProblemMessage problem={problem} onRetry={reload} /> : <GridSkeleton />;
}

interface RandomAnswer {
  ranking: { pageCount: number; entries: { album: { id: string } }[] };
}

/** Leads to any album of the site: one of any page of all of them. */
function RandomAlbum() {
  const [isBusy, setBusy] = useState(false);
  const read = async (page: number): Promise<RandomAnswer["ranking"] | null> => {
    const { data, error } = await client.query<RandomAnswer>(RANDOM, { page }).toPromise();
    if (error) announceProblem(problemOf(error));
    return data?.ranking ?? null;
  };
  const choose = async (): Promise<void> => {
    setBusy(true);
    const first = await read(1);
    const page = first && 1 + Math.floor(Math.random() * first.pageCount);
    const entries = (page && page > 1 ? await read(page) : first)?.entries ?? [];
    setBusy(false);
    const chosen = entries[Math.floor(Math.random() * entries.length)];
    if (chosen) go(["album", chosen.album.id]);
  };
  return (
    <button type="button" class="button" disabled={isBusy} onClick={() => void choose()}>
      {t().list.random}
    </button>
  );
}

/** Pages by the total; where the site gives none, as far as is known. */
function pageCount({ total, hasNextPage }: RankingAnswer["ranking"], page: number): number {
  return Math.max(Math.ceil(total / PAGE_SIZE), hasNextPage ? page + 1 : 0);
}
