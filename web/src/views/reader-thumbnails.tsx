/** A strip of small pages, to find one by its look. */
import { useEffect, useRef } from "preact/hooks";
import { local } from "../api/addresses";
import type { Page } from "../api/types";
import { t } from "../i18n";

interface Props {
  pages: readonly Page[];
  shown: readonly number[];
  onPick: (page: number) => void;
}

export function Thumbnails({ pages, shown, onPick }: Props) {
  const strip = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const box = strip.current;
    const current = box?.children[(shown[0] ?? 1) - 1];
    if (!box || !(current instanceof HTMLElement)) return;
    box.scrollTo({ left: current.offsetLeft - box.offsetLeft - (box.clientWidth - current.offsetWidth) / 2, behavior: "instant" });
  }, [shown[0]]);
  return (
    <nav aria-label={t().reader.thumbnails}>
      <ol ref={strip} class="reader-thumbnails" role="list">
        {pages.map((page) => (
          <li key={page.index}>
            <button
              type="button"
              aria-label={t().reader.page(page.index, pages.length)}
              aria-current={shown.includes(page.index) ? "page" : undefined}
              onClick={() => onPick(page.index)}
            >
              <img src={`${local(page.url)}?size=thumbnail`} alt="" loading="lazy" decoding="async" width={72} height={102} />
              <span>{page.index}</span>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
