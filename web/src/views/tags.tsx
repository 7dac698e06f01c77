/** The tag explorer: the records of the tag database, searched in either language. */
import { useEffect, useRef, useState } from "preact/hooks";
import { EHTAG, FREQUENT_TAGS, TAGS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { EhTag, MatchedText, Tag } from "../api/types";
import { isChinese, language, t } from "../i18n";
import { number } from "../i18n/formats";
import { Credit } from "../components/credit";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { matchedParts, namespaceName, recordName, tagPath } from "../components/tag-names";
import { href, replace, route, type Params } from "../router";
import { TagRecord } from "./tag";
import { useTitle } from "./title";

const FIRST = 50;
const TYPING_MS = 180;

interface FoundTag {
  node: Tag;
  matched: MatchedText | null;
}

interface TagsAnswer {
  tags: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string | null }; edges: FoundTag[] };
}

export function TagsView() {
  const words = t().tags;
  const { path, params } = route.value;
  const [, namespace, raw] = path;
  const isRecord = namespace !== undefined && raw !== undefined;
  const query = (params["q"] ?? "").trim();
  const wanted = params["ns"]?.toUpperCase() ?? "";
  const { data } = useQuery<{ ehtag: EhTag }>(EHTAG, {});
  useTitle(isRecord ? raw : words.title);
  const known = data?.ehtag.namespaces.filter(({ count }) => count > 0) ?? [];
  const chosen = known.some((info) => info.namespace === wanted) ? wanted : "";
  const with_ = (change: Params): Params => ({ q: query, ns: chosen.toLowerCase(), ...change });
  return (
    <div class={isRecord ? "explorer explorer-record" : "explorer"}>
      <section class="explorer-list" aria-label={words.title}>
        <div class="view-head">
          {isRecord ? <h2>{words.title}</h2> : <h1>{words.title}</h1>}
          <p class="quiet">{data ? words.hint(number(data.ehtag.tagCount)) : " "}</p>
        </div>
        <TagSearch query={query} onQuery={(q) => replace(isRecord ? path : ["tags"], with_({ q, page: isRecord ? params["page"] : undefined }))} />
        <nav class="namespaces" aria-label={words.namespaces}>
          <a href={href(["tags"], with_({ ns: "" }))} aria-current={chosen === "" ? "true" : undefined}>{words.every}</a>
          {known.map((info) => (
            <a
              key={info.namespace}
              href={href(["tags"], with_({ ns: info.namespace.toLowerCase() }))}
              aria-current={chosen === info.namespace ? "true" : undefined}
            >
              <span class={`dot ns-${info.namespace}`} />
              {namespaceName(info.namespace)} <span class="quiet">{number(info.count)}</span>
            </a>
          ))}
        </nav>
        {!query && !chosen && !isRecord && <Frequent />}
        <Results key={`${query}/${chosen}`} query={query} namespace={chosen} selected={isRecord ? `${namespace}:${raw}` : ""} params={with_({})} />
        <Credit />
      </section>
      <section class="explorer-detail" aria-label={isRecord ? raw : words.pick}>
        {isRecord ? (
          <TagRecord key={`${namespace}:${raw}`} namespace={namespace.toUpperCase()} raw={raw} listParams={with_({})} />
        ) : (
          <Message title={words.pick} />
        )}
      </section>
    </div>
  );
}

/** Tags of each namespace at most. */
const FREQUENT = 8;

/** What this server has seen often, by namespace, with the number of albums. */
function Frequent() {
  const words = t().tags;
  const { data } = useQuery<{ frequentTags: { albumCount: number; tag: Tag }[] }>(FREQUENT_TAGS, { first: FREQUENT }, "cache-and-network");
  const found = data?.frequentTags ?? [];
  if (found.length === 0) return null;
  const namespaces = [...new Set(found.map(({ tag }) => tag.namespace))];
  return (
    <section class="frequent" aria-labelledby="frequent-title">
      <h2 id="frequent-title">{words.frequent}</h2>
      {namespaces.map((namespace) => (
        <div key={namespace} class="tag-row">
          <h3 class="tag-row-label">{namespaceName(namespace)}</h3>
          <ul class="chips" role="list">
            {found.filter(({ tag }) => tag.namespace === namespace).map(({ tag, albumCount }) => (
              <li key={tag.id}>
                <a class="chip" href={href(tagPath(tag))} aria-label={words.frequentTag(recordName(tag, language.value), albumCount)}>
                  <span class={`dot ns-${tag.namespace}`} />
                  {recordName(tag, language.value)} <span class="chip-kind">{number(albumCount)}</span>
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function TagSearch({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const [text, setText] = useState(query);
  // The delayed search may run after the reader has opened a record: use the current URL then.
  const latest = useRef(onQuery);
  latest.current = onQuery;
  useEffect(() => setText((current) => (current.trim() === query ? current : query)), [query]);
  useEffect(() => {
    if (text.trim() === query) return;
    const timer = setTimeout(() => latest.current(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <form class="search-box" role="search" onSubmit={(event) => { event.preventDefault(); onQuery(text.trim()); }}>
      <Icon name="search" />
      <input
        type="search"
        value={text}
        aria-label={t().tags.label}
        placeholder={t().tags.label}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </form>
  );
}

interface ResultsProps {
  query: string;
  namespace: string;
  selected: string;
  params: Params;
}

function Results({ query, namespace, selected, params }: ResultsProps) {
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  return (
    <ul class="records" role="list">
      {cursors.map((after, index) => (
        <ResultPage
          key={after ?? ""}
          filter={{ ...(query ? { query } : {}), ...(namespace ? { namespaces: [namespace] } : {}) }}
          after={after}
          query={query}
          selected={selected}
          params={params}
          isLast={index === cursors.length - 1}
          onMore={(cursor) => setCursors([...cursors, cursor])}
        />
      ))}
    </ul>
  );
}

interface ResultPageProps {
  filter: Record<string, unknown>;
  after: string | null;
  query: string;
  selected: string;
  params: Params;
  isLast: boolean;
  onMore: (cursor: string) => void;
}

function ResultPage({ filter, after, query, selected, params, isLast, onMore }: ResultPageProps) {
  const words = t().tags;
  const { data, problem, isLoading, reload } = useQuery<TagsAnswer>(TAGS, { filter, first: FIRST, after });
  const best = query && after === null && selected === "" && data ? bestOf(data.tags.edges, query) : null;
  useEffect(() => {
    if (!best || query === openedFor) return;
    openedFor = query;
    replace(tagPath(best), params);
  }, [best?.id]);
  if (isLoading) return <li class="skeleton lines" aria-hidden="true" />;
  if (!data) return <li>{problem && <ProblemMessage problem={problem} onRetry={reload} />}</li>;
  const { edges, pageInfo } = data.tags;
  if (edges.length === 0 && after === null) {
    return (
      <li>
        <Message title={words.empty(query)} hint={words.emptyHint} />
      </li>
    );
  }
  return (
    <>
      {edges.map(({ node: tag, matched }) => (
        <li key={tag.id}>
          <a
            class="record"
            href={href(tagPath(tag), params)}
            aria-current={tag.id === selected ? "true" : undefined}
          >
            <span class={`dot ns-${tag.namespace}`} />
            <span class="record-name"><Marked text={recordName(tag, language.value)} matched={matched} /></span>
            <span class="record-second"><Marked text={isChinese() ? tag.raw : tag.name} matched={matched} /></span>
            <span class="record-kind">{namespaceName(tag.namespace)}</span>
          </a>
        </li>
      ))}
      {isLast && pageInfo.hasNextPage && pageInfo.endCursor !== null && (
        <li>
          <button type="button" class="button" onClick={() => onMore(pageInfo.endCursor as string)}>{words.more}</button>
        </li>
      )}
    </>
  );
}

/** The search whose record was opened by itself: the way back from there leads to the list. */
let openedFor = "";

/** Whether a record is shown beside the list, so that it takes nothing away from who goes on typing. */
const isBeside = (): boolean => matchMedia("(min-width: 761px)").matches;

/** The record that a search means without a doubt: the only one of exactly this name, or the only one at all. */
function bestOf(found: readonly FoundTag[], query: string): Tag | null {
  const wanted = query.toLowerCase();
  const exact = found.filter(({ node }) => node.raw === wanted || node.name.toLowerCase() === wanted);
  const sure = exact.length === 1 ? exact : found.length === 1 && isBeside() ? found : [];
  return sure[0]?.node ?? null;
}

/** A text with the part that the search matched, where it is the matched text. */
function Marked({ text, matched }: { text: string; matched: MatchedText | null }) {
  if (matched?.text !== text) return <>{text}</>;
  const [before, part, after] = matchedParts(matched);
  return <>{before}<mark>{part}</mark>{after}</>;
}
