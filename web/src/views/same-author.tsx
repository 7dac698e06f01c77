/** More albums of an album's first author; asked for once one has scrolled there, since it is a call to the site. */
import { useEffect, useRef, useState } from "preact/hooks";
import { SEARCH } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { AlbumPage, AlbumTag } from "../api/types";
import { AlbumGrid, GridSkeleton } from "../components/grid";
import { t } from "../i18n";
import { isPerson } from "../people/viewer";
import { href } from "../router";

const SHOWN = 6;

export function SameAuthor({ albumId, author }: { albumId: string; author: AlbumTag }) {
  const words = t().list;
  const box = useRef<HTMLElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (!box.current) return;
    const observer = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && setSeen(true));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const search = { query: author.name, page: 1, orderBy: "LATEST", period: "ALL", field: "AUTHOR", category: "ALL", me: isPerson.value };
  const { data, problem } = useQuery<{ search: AlbumPage }>(SEARCH, isSeen ? search : null);
  const others = data?.search.items.filter(({ id }) => id !== albumId) ?? [];
  if (problem || (data && others.length === 0)) return null;
  return (
    <section ref={box} class="same-author">
      <h2>{words.moreOf(author.name)}</h2>
      <div class="related">
        {data ? <AlbumGrid isRow entries={others.slice(0, SHOWN).map((album) => ({ album }))} eagerCount={0} /> : <GridSkeleton count={SHOWN} />}
      </div>
      {others.length > SHOWN && (
        <a class="button" href={href(["search"], { q: author.name, field: "author" })}>{words.allOf(author.name)}</a>
      )}
    </section>
  );
}
