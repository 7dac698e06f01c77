/** One page at a time, turned by key, swipe or tap; the next two are fetched ahead. */
import { useEffect, useRef, useState } from "preact/hooks";
import { local } from "../api/addresses";
import type { Page } from "../api/types";
import { ReaderPage } from "./reader-page";
import { stepOfSwipe, stepOfTap, type Mode, type Step } from "./reading";

const AHEAD = 2;
/** A touch that moved less than this, in CSS pixels, is a tap. */
const TAP_PX = 10;

interface Props {
  pages: readonly Page[];
  page: number;
  mode: Mode;
  onStep: (step: Step) => void;
  onTap: () => void;
}

export function PagedPages({ pages, page, mode, onStep, onTap }: Props) {
  const start = useRef<{ x: number; y: number } | null>(null);
  const [ratio, setRatio] = useState(2 / 3);
  const shown = pages[page - 1];
  useEffect(() => {
    for (const next of pages.slice(page, page + AHEAD)) new Image().src = local(next.url);
  }, [page]);
  const onUp = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const from = start.current;
    start.current = null;
    if (!from || (event.target as HTMLElement).closest("button")) return;
    const dx = event.clientX - from.x;
    const dy = event.clientY - from.y;
    const isTap = Math.hypot(dx, dy) < TAP_PX;
    const step = isTap ? stepOfTap(event.clientX, event.currentTarget.clientWidth, mode) : stepOfSwipe(dx, dy, mode);
    if (step) onStep(step);
    else if (isTap) onTap();
  };
  return (
    <main
      id="content"
      class="reader-paged"
      tabIndex={-1}
      onPointerDown={(event) => (start.current = { x: event.clientX, y: event.clientY })}
      onPointerUp={onUp}
      onPointerCancel={() => (start.current = null)}
    >
      {shown && <ReaderPage key={shown.index} page={shown} count={pages.length} ratio={ratio} loading="eager" onRatio={setRatio} />}
    </main>
  );
}
