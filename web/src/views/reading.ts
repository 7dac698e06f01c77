/** The reader's rules: what a key or a swipe does in a layout. */

export type Mode = "scroll" | "ltr" | "rtl";
export const MODES: readonly Mode[] = ["scroll", "ltr", "rtl"];

export type Step = "next" | "previous" | "first" | "last";

/** The step of a key; null for any other key. */
export function stepOfKey(key: string, mode: Mode): Step | null {
  const forward = mode === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = mode === "rtl" ? "ArrowRight" : "ArrowLeft";
  if (key === forward || key === "PageDown") return "next";
  if (key === back || key === "PageUp") return "previous";
  if (key === "Home") return "first";
  if (key === "End") return "last";
  // The paged layouts do not scroll, so these keys turn pages as well.
  if (mode !== "scroll" && (key === "ArrowDown" || key === " ")) return "next";
  if (mode !== "scroll" && key === "ArrowUp") return "previous";
  return null;
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

/** Page after a step: 1 to `count`, 0 for "before the chapter", count + 1 for "after it". */
export function pageAfter(step: Step, page: number, count: number): number {
  if (step === "first") return 1;
  if (step === "last") return count;
  return step === "next" ? page + 1 : page - 1;
}

/** Limits a page from the URL to the chapter. */
export function within(page: number, count: number): number {
  return Math.min(Math.max(1, page), Math.max(1, count));
}
