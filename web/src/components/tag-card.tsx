/** A tag's record: introduction, namespace, and how it matched the site's spelling. */
import { githubToken } from "../api/client";
import { TAG_CARD } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumTag, Tag, TagMatch } from "../api/types";
import { isChinese, language, t } from "../i18n";
import { href } from "../router";
import { addedName } from "./add-tag";
import { Credit } from "./credit";
import { ProblemMessage } from "./message";
import { SafeHtml } from "./safe-html";
import { namespaceName, recordName, tagName, tagPath } from "./tag-names";

interface TextsAnswer {
  tag: { id: string; intro: string; links: string } | null;
}

export function TagCard({ tag, searchHref }: { tag: AlbumTag; searchHref: string }) {
  const words = t().tag;
  return (
    <div class="tag-card-body">
      {tag.translation ? <Known tag={tag} record={tag.translation} /> : <Unknown name={tag.name} />}
      <p class="tag-card-actions">
        <a class="button button-small button-primary" href={searchHref}>
          {words.search}
        </a>
        {tag.translation && (
          <a class="button button-small" href={href(tagPath(tag.translation))}>
            {words.open}
          </a>
        )}
        {!tag.translation && githubToken.value && (
          <button type="button" class="button button-small" aria-haspopup="dialog" onClick={() => (addedName.value = { name: tag.name, kind: tag.kind })}>
            {words.addToDatabase}
          </button>
        )}
      </p>
      {tag.translation && <Credit />}
    </div>
  );
}

function Unknown({ name }: { name: string }) {
  return (
    <>
      <p class="tag-card-name">{name}</p>
      <p class="tag-card-kind">{t().tag.untranslated}</p>
      <p>{t().tag.untranslatedHint}</p>
    </>
  );
}

function Known({ tag, record }: { tag: AlbumTag; record: Tag }) {
  const words = t().tag;
  const { data, problem, isLoading } = useQuery<TextsAnswer>(TAG_CARD, { namespace: record.namespace, raw: record.raw });
  const second = isChinese() ? record.raw : record.name;
  const matches: Record<TagMatch, string> = {
    EXACT: words.exact,
    FOLDED: words.folded,
    ALIAS: words.alias,
    RAW: words.raw,
    AMBIGUOUS: words.ambiguous,
    ELSEWHERE: words.elsewhere,
  };
  const texts = data?.tag;
  return (
    <>
      <p class="tag-card-name">
        {tagName(tag, language.value)} <span class="tag-card-second">{second}</span>
      </p>
      <p class="tag-card-kind">
        <span class={`dot ns-${record.namespace}`} /> {namespaceName(record.namespace)} · {words.siteSpelling(tag.name)}
      </p>
      {tag.match && <p class="tag-card-match">{matches[tag.match]}</p>}
      {isLoading && <p class="skeleton lines" aria-label={words.loading} role="status" />}
      {problem && <ProblemMessage problem={problem} />}
      {texts && (texts.intro ? <SafeHtml html={texts.intro} /> : <p class="quiet">{words.noIntro}</p>)}
      {texts?.links && <SafeHtml html={texts.links} />}
      {tag.alternatives.length > 0 && (
        <p class="tag-card-others">
          {words.alternatives}:{" "}
          {tag.alternatives.map((other) => (
            <a key={other.id} href={href(tagPath(other))}>
              {namespaceName(other.namespace)} · {recordName(other, language.value)}
            </a>
          ))}
        </p>
      )}
    </>
  );
}
