/**
 * The further pages of a list, which load while one scrolls. The address is that of the page one looks at, and the
 * history entry says where the list began: the back button shows all of it again, where one was.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { entryState, href, rewriteAddress, route, type Params } from "../router";

/** Pages that load by themselves before one asks for more, so that the end of the page can be reached. */
const PAGES_UNASKED = 5;

/** How far below the window the end of the list may be when the next page is asked for. */
const AHEAD = "900px";

export interface Span {
  readonly first: number;
  readonly last: number;
}

/** The pages that are shown: the one in the address, and after going back those that were there before it. */
export function useSpan(page: number): Span & { showMore: () => void } {
  const { value } = route;
  const [state, setState] = useState({ route: value, ...spanOf(page) });
  const isOther = state.route !== value;
  const span = isOther ? spanOf(page) : state;
  useLayoutEffect(() => {
    if (isOther) setState({ route: value, ...span });
  }, [value]);
  return { first: span.first, last: span.last, showMore: () => setState({ route: value, first: span.first, last: span.last + 1 }) };
}

/** A page that has loaded, and how many the list has as far as it tells. */
export interface LoadedPage {
  readonly key: string;
  readonly count: number;
}

export const NOTHING_LOADED: LoadedPage = { key: "", count: 0 };

/** `from` of the history entry, where it is a page before this one. */
function spanOf(page: number): Span {
  const from = entryState().from ?? page;
  return { first: from < page ? from : page, last: page };
}

interface Props {
  span: Span & { showMore: () => void };
  /** Pages of the whole list. */
  count: number;
  /** True once the last page that is shown is there. */
  isReady: boolean;
  path: readonly string[];
  paramsOf: (page: number) => Params;
  /** The first page. */
  children: ComponentChildren;
  renderPage: (page: number) => ComponentChildren;
}

export function EndlessPages({ span, count, isReady, path, paramsOf, children, renderPage }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const { first, last, showMore } = span;
  const hasMore = last < count;
  const isUnasked = last - first + 1 < PAGES_UNASKED;
  useEffect(() => {
    if (!end.current || !hasMore || !isReady || !isUnasked) return;
    const observer = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && showMore(), { rootMargin: AHEAD });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, isReady, isUnasked, last, route.value]);
  useEffect(() => {
    if (first === last) return;
    let own = location.hash;
    const follow = (): void => {
      // A link was followed: the address is no longer this list's.
      if (location.hash !== own) return;
      const next = href(path, paramsOf(pageInView(box.current, first)));
      if (next !== own) rewriteAddress(next, { from: first });
      own = location.hash;
    };
    follow();
    addEventListener("scroll", follow, { passive: true });
    return () => removeEventListener("scroll", follow);
  }, [first, last, route.value]);
  return (
    <div ref={box}>
      <div data-page={first}>{children}</div>
      {Array.from({ length: last - first }, (_, index) => first + 1 + index).map((page) => (
        <section key={page} class="further-page" data-page={page} aria-label={t().list.page(page)}>
          <p class="page-mark quiet" aria-hidden="true">{t().list.page(page)}</p>
          {renderPage(page)}
        </section>
      ))}
      <div ref={end} />
      {hasMore && isReady && !isUnasked && (
        <p class="pager">
          <button type="button" class="button" onClick={showMore}>{t().list.loadMore}</button>
        </p>
      )}
    </div>
  );
}

/** The last page that begins above the middle of the window. */
function pageInView(box: HTMLElement | null, first: number): number {
  const begun = [...(box?.querySelectorAll<HTMLElement>("[data-page]") ?? [])].filter((part) => part.getBoundingClientRect().top < innerHeight / 2);
  return Number(begun.at(-1)?.dataset["page"] ?? first);
}
