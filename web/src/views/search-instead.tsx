/** What a search that found nothing leads on to: the words in the other script, where that finds some, and tags. */
import { OTHER_SPELLINGS, SEARCH, TAGS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumPage, Tag } from "../api/types";
import { language, t } from "../i18n";
import { number } from "../i18n/formats";
import { namespaceName, recordName, tagPath } from "../components/tag-names";
import { isPerson } from "../people/viewer";
import { href } from "../router";
import { wordsOf } from "./search-text";

const TAGS_SHOWN = 6;

interface Props {
  query: string;
  /** Variables of the search, without text and page. */
  search: Record<string, unknown>;
  /** URL of the same search for another text. */
  to: (text: string) => string;
}

export function Instead({ query, search, to }: Props) {
  const spellings = useQuery<{ otherSpellings: string[] }>(OTHER_SPELLINGS, /\p{Script=Han}/u.test(query) ? { text: query } : null);
  return (
    <div class="instead">
      {spellings.data?.otherSpellings.map((spelling) => (
        <OtherSpelling key={spelling} spelling={spelling} search={search} to={to} />
      ))}
      <FittingTags query={wordsOf(query)} />
    </div>
  );
}

function OtherSpelling({ spelling, search, to }: { spelling: string; search: Props["search"]; to: Props["to"] }) {
  const { data } = useQuery<{ search: AlbumPage }>(SEARCH, { ...search, query: spelling, page: 1, me: isPerson.value });
  if (!data?.search.total) return null;
  return (
    <p>
      {t().search.otherScript}{" "}
      <a href={to(spelling)}>{t().search.spelling(spelling, number(data.search.total))}</a>
    </p>
  );
}

function FittingTags({ query }: { query: string }) {
  const { data } = useQuery<{ tags: { edges: { node: Tag }[] } }>(TAGS, query ? { filter: { query }, first: TAGS_SHOWN, after: null } : null);
  if (!data?.tags.edges.length) return null;
  return (
    <section>
      <h2>{t().search.tags}</h2>
      <ul class="chips" role="list">
        {data.tags.edges.map(({ node: tag }) => (
          <li key={tag.id}>
            <a class="chip" href={href(tagPath(tag))}>
              <span class={`dot ns-${tag.namespace}`} />
              {recordName(tag, language.value)} <span class="chip-kind">{namespaceName(tag.namespace)}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
