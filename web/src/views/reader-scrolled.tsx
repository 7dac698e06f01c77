/** All pages under each other; those far away are not fetched. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../api/types";
import { ReaderPage } from "./reader-page";

interface Props {
  pages: readonly Page[];
  wish: { page: number };
  onPage: (page: number) => void;
  onTap: () => void;
  children: ComponentChildren;
}

export function ScrolledPages({ pages, wish, onPage, onTap, children }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const [ratio, setRatio] = useState(2 / 3);
  useLayoutEffect(() => {
    list.current?.children[wish.page - 1]?.scrollIntoView({ block: "start", behavior: "instant" });
  }, [wish]);
  useEffect(() => {
    const onScroll = (): void => {
      const lines = [...(list.current?.children ?? [])];
      const middle = innerHeight / 2;
      const found = lines.findIndex((line) => line.getBoundingClientRect().bottom > middle);
      onPage(found < 0 ? lines.length : found + 1);
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
              loading={Math.abs(page.index - wish.page) < 2 ? "eager" : "lazy"}
              onRatio={(value) => page.index === wish.page && setRatio(value)}
            />
          </li>
        ))}
      </ol>
      {children}
    </main>
  );
}
