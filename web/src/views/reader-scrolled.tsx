/** All pages below each other; those far from the viewport are not fetched. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../api/types";
import { ReaderPage } from "./reader-page";

interface Props {
  pages: readonly Page[];
  target: { page: number };
  onPage: (page: number) => void;
  onTap: () => void;
  children: ComponentChildren;
}

export function ScrolledPages({ pages, target, onPage, onTap, children }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const [ratio, setRatio] = useState(2 / 3);
  useLayoutEffect(() => {
    const pages = list.current;
    if (!pages) return;
    const align = (): void => pages.children[target.page - 1]?.scrollIntoView({ block: "start", behavior: "instant" });
    align();
    // Pages above may be taller than estimated: keep the target in view until the reader scrolls.
    const resized = new ResizeObserver(align);
    resized.observe(pages);
    const free = (): void => resized.disconnect();
    const moves = ["wheel", "touchmove", "pointerdown", "keydown"] as const;
    for (const move of moves) addEventListener(move, free, { passive: true });
    return () => {
      free();
      for (const move of moves) removeEventListener(move, free);
    };
  }, [target]);
  useEffect(() => {
    const onScroll = (): void => {
      const lines = [...(list.current?.children ?? [])];
      const isAtEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
      const found = lines.findIndex((line) => line.getBoundingClientRect().bottom > innerHeight / 2);
      onPage(isAtEnd || found < 0 ? lines.length : found + 1);
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => removeEventListener("scroll", onScroll);
  }, []);
  return (
    <main id="content" class="reader-scroll" tabIndex={-1}>
      <ol ref={list} role="list" onClick={onTap}>
        {pages.map((page) => (
          <li key={page.index}>
            <ReaderPage
              page={page}
              count={pages.length}
              ratio={ratio}
              loading={Math.abs(page.index - target.page) < 2 ? "eager" : "lazy"}
              onRatio={(value) => page.index === target.page && setRatio(value)}
            />
          </li>
        ))}
      </ol>
      {children}
    </main>
  );
}
