/** One page at a time, or two side by side; turned by key, swipe, tap or wheel, and the next ones are fetched ahead. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { local } from "../api/addresses";
import type { Page } from "../api/types";
import { ReaderPage } from "./reader-page";
import { ahead, fit } from "./reader-settings";
import { useZoom, useZoomGestures, type Zoom } from "./reader-zoom";
import { stepOfSwipe, stepOfTap, stepOfWheel, type Mode, type Step } from "./reading";

/** A touch that moved less than this, in CSS pixels, is a tap. */
const TAP_PX = 10;
/** What space and the arrows scroll, of the window's height. */
const SCREENFUL = 0.85;

interface Props {
  pages: readonly Page[];
  /** Numbers of the pages to show; none: the end of the chapter. */
  shown: readonly number[];
  mode: Mode;
  zoomRef: { current: Zoom | null };
  onStep: (step: Step) => void;
  onTap: () => void;
  onRatio: (page: number, ratio: number) => void;
  /** The end of the chapter. */
  children: ComponentChildren;
}

export function PagedPages({ pages, shown, mode, zoomRef, onStep, onTap, onRatio, children }: Props) {
  const pane = useRef<HTMLElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const start = useRef<{ x: number; y: number; left: number; top: number } | null>(null);
  const [ratio, setRatio] = useState(2 / 3);
  const last = shown.at(-1) ?? pages.length;
  const key = `${shown[0]}`;
  const zoom = useZoom(sheet, key, (dx, dy) => pane.current?.scrollBy({ left: dx, top: dy, behavior: "instant" }));
  zoomRef.current = zoom;
  useZoomGestures(pane, zoom, true);
  useWheel(pane, onStep);
  useEffect(() => {
    for (const next of pages.slice(last, last + ahead())) new Image().src = local(next.url);
  }, [last]);
  useLayoutEffect(() => {
    pane.current?.scrollTo({ top: 0, left: mode === "rtl" ? pane.current.scrollWidth : 0, behavior: "instant" });
  }, [key, mode]);

  const onDown = (event: PointerEvent): void => {
    const box = pane.current;
    // A second finger is no swipe.
    const isSecond = start.current !== null && !event.isPrimary;
    start.current = box && !isSecond ? { x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop } : null;
  };
  const onDrag = (event: PointerEvent): void => {
    const from = start.current;
    if (!from || event.pointerType !== "mouse" || event.buttons !== 1) return;
    pane.current?.scrollTo({ left: from.left + from.x - event.clientX, top: from.top + from.y - event.clientY, behavior: "instant" });
  };
  const onUp = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const from = start.current;
    start.current = null;
    if (!from || (event.target as HTMLElement).closest("button, a")) return;
    const dx = event.clientX - from.x;
    const dy = event.clientY - from.y;
    const isTap = Math.hypot(dx, dy) < TAP_PX;
    if (zoom.value > 1) return isTap ? onTap() : undefined;
    const step = isTap ? stepOfTap(event.clientX, event.currentTarget.clientWidth, mode) : stepOfSwipe(dx, dy, mode);
    if (step) onStep(step);
    else if (isTap) onTap();
  };
  const onDouble = (event: MouseEvent & { currentTarget: HTMLElement }): void => {
    const isSide = stepOfTap(event.clientX, event.currentTarget.clientWidth, mode) !== null;
    if (zoom.value > 1 || !isSide) zoom.toggle({ x: event.clientX, y: event.clientY });
  };
  return (
    <main
      id="content"
      ref={pane}
      class={`reader-paged fit-${fit.value} ${zoom.value > 1 ? "reader-close" : ""}`}
      tabIndex={-1}
      onPointerDown={onDown}
      onPointerMove={onDrag}
      onPointerUp={onUp}
      onPointerCancel={() => (start.current = null)}
      onDblClick={onDouble}
    >
      {shown.length === 0 ? (
        children
      ) : (
        <div ref={sheet} class="reader-sheet" dir={mode === "rtl" ? "rtl" : "ltr"} style={{ "--zoom": String(zoom.value), "--beside": String(shown.length) }}>
          {shown.map((number) => {
            const page = pages[number - 1];
            return page && (
              <ReaderPage
                key={number}
                page={page}
                count={pages.length}
                ratio={ratio}
                loading="eager"
                onRatio={(value) => {
                  setRatio(value);
                  onRatio(number, value);
                }}
              />
            );
          })}
        </div>
      )}
    </main>
  );
}

function canScroll(box: HTMLElement, way: number): boolean {
  return way > 0 ? box.scrollTop + box.clientHeight < box.scrollHeight - 1 : box.scrollTop > 0;
}

/** Scrolls a page that is higher than the window; false at its end. */
export function scrollWithin(box: HTMLElement | null, way: 1 | -1): boolean {
  if (!box || !canScroll(box, way)) return false;
  box.scrollBy({ top: way * SCREENFUL * box.clientHeight });
  return true;
}

/** The wheel scrolls a page that is higher than the window, and turns it at its end. */
function useWheel(pane: { current: HTMLElement | null }, onStep: (step: Step) => void): void {
  const latest = useRef(onStep);
  latest.current = onStep;
  useLayoutEffect(() => {
    const box = pane.current;
    if (!box) return;
    let turnedAt = -Infinity;
    let scrolledAt = -Infinity;
    const onWheel = (event: WheelEvent): void => {
      if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      if (canScroll(box, event.deltaY)) return void (scrolledAt = event.timeStamp);
      event.preventDefault();
      const step = stepOfWheel(event.deltaY, event.timeStamp, turnedAt, scrolledAt);
      if (!step) return;
      turnedAt = event.timeStamp;
      latest.current(step);
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    return () => box.removeEventListener("wheel", onWheel);
  }, []);
}
