/** The reader's rules: what a key, a swipe or a tap does in a layout, which pages stand side by side, what is fetched ahead. */

export type Mode = "scroll" | "ltr" | "rtl";
export const MODES: readonly Mode[] = ["scroll", "ltr", "rtl"];

/** How large a page is: whole in the window, as wide as it, as high as it, or in its own pixels. */
export type Fit = "page" | "width" | "height" | "original";
export const FITS: readonly Fit[] = ["page", "width", "height", "original"];

export type Step = "next" | "previous" | "first" | "last";

/** The step of a key; null for any other key. Space is `wayOfKey`'s. */
export function stepOfKey(key: string, mode: Mode): Step | null {
  const forward = mode === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = mode === "rtl" ? "ArrowRight" : "ArrowLeft";
  if (key === forward || key === "PageDown") return "next";
  if (key === back || key === "PageUp") return "previous";
  if (key === "Home") return "first";
  if (key === "End") return "last";
  return null;
}

/** Keys that go down (1) or up (-1) a page that is higher than the window, and turn the page at its end. */
export function wayOfKey(key: string, withShift: boolean, mode: Mode): 1 | -1 | 0 {
  if (mode === "scroll") return 0;
  if (key === " ") return withShift ? -1 : 1;
  return key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
}

/** A swipe must be this long, in CSS pixels, and more across than down. */
const SWIPE_PX = 40;

export function stepOfSwipe(dx: number, dy: number, mode: Mode): Step | null {
  if (mode === "scroll" || Math.abs(dx) < SWIPE_PX || Math.abs(dx) < Math.abs(dy) * 1.5) return null;
  const isForward = mode === "ltr" ? dx < 0 : dx > 0;
  return isForward ? "next" : "previous";
}

/** Which third was tapped: the sides turn pages, the middle shows the bars. */
export function stepOfTap(x: number, width: number, mode: Mode): Step | null {
  const side = x < width / 3 ? "left" : x > (width * 2) / 3 ? "right" : null;
  if (side === null || mode === "scroll") return null;
  return (side === "right") === (mode === "ltr") ? "next" : "previous";
}

/**
 * Pages that stand side by side, in reading order: the cover alone, then two and two; a page that is wider than high
 * stands alone. `spreads(5, new Set([3]))` is `[[1], [2], [3], [4, 5]]`.
 */
export function spreads(count: number, wide: ReadonlySet<number>): number[][] {
  const shown: number[][] = [];
  for (let page = 1; page <= count; page += 1) {
    const isPair = page > 1 && page < count && !wide.has(page) && !wide.has(page + 1);
    shown.push(isPair ? [page, page + 1] : [page]);
    if (isPair) page += 1;
  }
  return shown;
}

/** Page after a step: 1 to `count`, 0 for "before the chapter", count + 1 for "after it". `beside` stand together now. */
export function pageAfter(step: Step, beside: readonly number[], count: number): number {
  if (step === "first") return 1;
  if (step === "last") return count;
  return step === "next" ? (beside.at(-1) ?? count) + 1 : (beside[0] ?? 1) - 1;
}

/** Limits a page from the URL to the chapter. */
export function within(page: number, count: number): number {
  return Math.min(Math.max(1, page), Math.max(1, count));
}

const QUICK_MS = 300;
const USUAL_MS = 1500;

/**
 * Pages to fetch before they are turned to. `loadMs` is what a page has taken lately, null before the first: on a slow
 * connection many would only delay the next one. `isSparing`: the browser was told to save data.
 */
export function pagesAhead(loadMs: number | null, isSparing: boolean): number {
  if (isSparing) return 1;
  if (loadMs === null) return 2;
  return loadMs < QUICK_MS ? 6 : loadMs < USUAL_MS ? 3 : 1;
}

/** The newer measure counts for a third. */
export function averaged(before: number | null, loadMs: number): number {
  return before === null ? loadMs : before + (loadMs - before) / 3;
}

const CLOSEST = 4;

/** A zoom from 1 (as it fits) to four times that. */
export function zoomWithin(zoom: number): number {
  return Math.min(CLOSEST, Math.max(1, zoom));
}

/** Between two pages turned by one movement of the wheel. */
const TURN_MS = 350;
/** After the page was scrolled to its end, the same movement must not turn it. */
const REST_MS = 250;
/** Less than this, in pixels, is the end of a movement. */
const WEAKEST_PX = 4;

/** The step of a turn of the wheel; null while an earlier one goes on. Times in milliseconds. */
export function stepOfWheel(deltaY: number, now: number, turnedAt: number, scrolledAt: number): Step | null {
  if (Math.abs(deltaY) < WEAKEST_PX || now - turnedAt < TURN_MS || now - scrolledAt < REST_MS) return null;
  return deltaY > 0 ? "next" : "previous";
}
