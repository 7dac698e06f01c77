/** Rankings by period. */
import { RANKING, RANKING_HEARTS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumLine } from "../api/types";
import { t } from "../i18n";
import { number } from "../i18n/formats";
import { AlbumGrid, GridSkeleton } from "../components/grid";
import { Message, ProblemMessage } from "../components/message";
import { Pager } from "../components/pager";
import { Select, Switch } from "../components/switches";
import { Waiting } from "../components/waiting";
import { ContinueReading } from "../people/continue";
import { heartsOf, useHearts } from "../people/hearts";
import { isPerson } from "../people/viewer";
import { go, href, route, type Params } from "../router";
import { CATEGORIES, choice, pageOf, PERIODS, RANKING_ORDERS, paramOf } from "./choices";
import { useTitle } from "./title";

/** Albums on a page of the site's rankings. */
const PAGE_SIZE = 80;

interface RankingAnswer {
  ranking: { total: number; hasNextPage: boolean; entries: { rank: number; album: AlbumLine }[] };
}

export function RankingView() {
  const words = t().list;
  const { params } = route.value;
  const state = {
    period: choice(params["period"], PERIODS, "WEEK"),
    orderBy: choice(params["order"], RANKING_ORDERS, "VIEWS"),
    category: choice(params["category"], CATEGORIES, "ALL"),
    page: pageOf(params["page"]),
  };
  const answer = useQuery<RankingAnswer>(RANKING, { ...state, me: isPerson.value }, "cache-and-network");
  const hearts = useHearts(RANKING_HEARTS, state);
  useTitle(t().app.rankings);
  const with_ = (change: Partial<typeof state>): Params => {
    const next = { ...state, page: 1, ...change };
    return {
      period: paramOf(next.period, "WEEK"),
      order: paramOf(next.orderBy, "VIEWS"),
      category: paramOf(next.category, "ALL"),
      page: next.page > 1 ? next.page : undefined,
    };
  };
  const to = (change: Partial<typeof state>): string => href([], with_(change));
  const ranking = answer.data?.ranking;
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
      {ranking && <AlbumGrid entries={heartsOf(ranking.entries, hearts)} />}
      {ranking && <Pager page={state.page} count={pageCount(ranking, state.page)} to={(page) => to({ page })} />}
    </>
  );
}

/** Pages by the total; where the site gives none, as far as is known. */
function pageCount({ total, hasNextPage }: RankingAnswer["ranking"], page: number): number {
  return Math.max(Math.ceil(total / PAGE_SIZE), hasNextPage ? page + 1 : 0);
}
