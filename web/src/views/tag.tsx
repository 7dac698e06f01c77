/** One record of the tag database: rendered, in every form, and the albums with this tag. */
import { useState } from "preact/hooks";
import { TAG, TAG_ALBUMS, TAG_HEARTS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumPage, Tag } from "../api/types";
import { isChinese, language, t } from "../i18n";
import { number } from "../i18n/formats";
import { AlbumGrid, GridSkeleton } from "../components/grid";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { SafeHtml } from "../components/safe-html";
import { namespaceName, recordName } from "../components/tag-names";
import { Waiting } from "../components/waiting";
import { heartsOf, useHearts } from "../people/hearts";
import { isPerson } from "../people/viewer";
import { href, replace, route, type Params } from "../router";
import { pageOf } from "./choices";

type Form = "html" | "text" | "raw" | "ast";
type Cell = "name" | "intro" | "links";
const FORMS: readonly Form[] = ["html", "text", "raw", "ast"];
const CELLS: readonly Cell[] = ["name", "intro", "links"];

interface TagDetails extends Tag {
  ast: Record<Cell, unknown>;
  nameRaw: string;
  introRaw: string;
  linksRaw: string;
  introText: string;
  linksText: string;
  nameHtml: string;
  introHtml: string;
  linksHtml: string;
}

export function TagRecord({ namespace, raw, listParams }: { namespace: string; raw: string; listParams: Params }) {
  const words = t().tags;
  const { data, problem, isLoading, reload } = useQuery<{ tag: TagDetails | null }>(TAG, { namespace, raw });
  const tag = data?.tag;
  const back = (
    <a class="button button-small explorer-back" href={href(["tags"], listParams)}>
      <Icon name="left" size={16} /> {words.back}
    </a>
  );
  if (isLoading) {
    return (
      <>
        <h1 class="hidden">{raw}</h1>
        <div class="skeleton lines" aria-hidden="true" />
      </>
    );
  }
  if (!tag) {
    return (
      <>
        {back}
        {/* A namespace that is none is refused as a bad variable: for a reader that is "no such record" too. */}
        {problem && problem.code !== "GRAPHQL_VALIDATION_FAILED" && problem.code !== "BAD_REQUEST" ? (
          <ProblemMessage isView problem={problem} onRetry={reload} />
        ) : (
          <Message isView title={words.missing} hint={words.missingHint} />
        )}
      </>
    );
  }
  return (
    <article class="tag-record">
      {back}
      <h1>
        {recordName(tag, language.value)}{" "}
        <span class="tag-card-second">{isChinese() ? tag.raw : tag.name}</span>
      </h1>
      <p class="tag-card-kind">
        <span class={`dot ns-${tag.namespace}`} /> {namespaceName(tag.namespace)} · <code>{tag.id}</code>
      </p>
      {tag.introHtml ? <SafeHtml html={tag.introHtml} /> : <p class="quiet">{t().tag.noIntro}</p>}
      {tag.linksHtml && <SafeHtml html={tag.linksHtml} />}
      <TagAlbums namespace={tag.namespace} raw={tag.raw} />
      <Forms tag={tag} />
    </article>
  );
}

function Forms({ tag }: { tag: TagDetails }) {
  const words = t().tags;
  const [form, setForm] = useState<Form>("html");
  return (
    <details class="forms">
      <summary>{words.developers} · {words.forms}: HTML, {words.form.text}, {words.form.raw}, AST</summary>
      <fieldset class="switch">
        <legend class="hidden">{words.forms}</legend>
        {FORMS.map((option) => (
          <label key={option}>
            <input type="radio" name="form" checked={form === option} onChange={() => setForm(option)} />
            <span>{words.form[option]}</span>
          </label>
        ))}
      </fieldset>
      <dl class="cells">
        {CELLS.map((cell) => (
          <div key={cell}>
            <dt>{words[cell]}</dt>
            <dd>
              <pre tabIndex={0} aria-label={words[cell]}>{textOf(tag, cell, form) || `(${words.blank})`}</pre>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function textOf(tag: TagDetails, cell: Cell, form: Form): string {
  if (form === "ast") return JSON.stringify(tag.ast[cell], null, 2);
  if (form === "text") return cell === "name" ? tag.name : tag[`${cell}Text`];
  return form === "raw" ? tag[`${cell}Raw`] : tag[`${cell}Html`];
}

function TagAlbums({ namespace, raw }: { namespace: string; raw: string }) {
  const words = t().tags;
  const { path, params } = route.value;
  const page = pageOf(params["page"]);
  const setPage = (next: number): void => replace(path, { ...params, page: next > 1 ? next : undefined });
  const { data, problem, isLoading, reload, stop } = useQuery<{ tag: { albums: AlbumPage | null } | null }>(TAG_ALBUMS, { namespace, raw, page, me: isPerson.value });
  const hearts = useHearts(TAG_HEARTS, { namespace, raw, page });
  const albums = data?.tag?.albums;
  return (
    <section>
      <h2>
        {words.albums} {albums && <span class="quiet">{number(albums.total)}</span>}
      </h2>
      {isLoading && <Waiting onStop={stop}><GridSkeleton count={8} /></Waiting>}
      {!albums && problem && <ProblemMessage problem={problem} onRetry={reload} />}
      {albums?.items.length === 0 && <p class="quiet">{words.noAlbums}</p>}
      {albums && <AlbumGrid entries={heartsOf(albums.items.map((album) => ({ album })), hearts)} />}
      {albums && albums.pageCount > 1 && (
        <p class="pager">
          {page > 1 && <button type="button" class="button" onClick={() => setPage(page - 1)}>{t().list.previous}</button>}
          {page < albums.pageCount && <button type="button" class="button" onClick={() => setPage(page + 1)}>{t().list.next}</button>}
        </p>
      )}
    </section>
  );
}
