/** All pages below each other; those far from the viewport are not fetched. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../api/types";
import { ReaderPage } from "./reader-page";
import { ahead, fit } from "./reader-settings";
import { useZoom, useZoomGestures, type Zoom } from "./reader-zoom";

interface Props {
  pages: readonly Page[];
  /** The page to bring into view; one more than there are: the end. */
  target: { page: number };
  page: number;
  zoomRef: { current: Zoom | null };
  onPage: (page: number) => void;
  onTap: () => void;
  /** The end of the chapter. */
  children: ComponentChildren;
}

export function ScrolledPages({ pages, target, page: current, zoomRef, onPage, onTap, children }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const pane = useRef<HTMLElement>(null);
  const [ratio, setRatio] = useState(2 / 3);
  const zoom = useZoom(list, "", (dx, dy) => {
    pane.current?.scrollBy({ left: dx, behavior: "instant" });
    scrollBy({ top: dy, behavior: "instant" });
  });
  zoomRef.current = zoom;
  // Two fingers zoom as on any page.
  useZoomGestures(pane, zoom, false);
  useLayoutEffect(() => {
    const pages = list.current;
    if (!pages) return;
    const align = (): void => {
      const wanted = pages.children[target.page - 1] ?? pages.nextElementSibling;
      wanted?.scrollIntoView({ block: "start", behavior: "instant" });
    };
    align();
    // Pages above may be taller than estimated: keep the target in view until the reader scrolls.
    const resized = new ResizeObserver(align);
    resized.observe(pages);
    if (pages.nextElementSibling) resized.observe(pages.nextElementSibling);
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
      if (lines.length === 0) return; // another layout has taken its place
      const isAtEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
      const found = lines.findIndex((line) => line.getBoundingClientRect().bottom > innerHeight / 2);
      onPage(isAtEnd || found < 0 ? lines.length : found + 1);
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => removeEventListener("scroll", onScroll);
  }, []);
  const isNear = (index: number): boolean => Math.abs(index - target.page) < 2 || (index >= current && index <= current + ahead());
  return (
    <main id="content" ref={pane} class={`reader-scroll fit-${fit.value}`} tabIndex={-1} style={{ "--zoom": String(zoom.value) }}>
      <ol ref={list} role="list" onClick={(event) => !(event.target as HTMLElement).closest("button") && onTap()} onDblClick={(event) => zoom.toggle({ x: event.clientX, y: event.clientY })}>
        {pages.map((page) => (
          <li key={page.index}>
            <ReaderPage
              page={page}
              count={pages.length}
              ratio={ratio}
              loading={isNear(page.index) ? "eager" : "lazy"}
              onRatio={(value) => page.index === target.page && setRatio(value)}
            />
          </li>
        ))}
      </ol>
      {children}
    </main>
  );
}
