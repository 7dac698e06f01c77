/** The page numbers that a pager shows: the ends, and those near the current one. */

/** `pagerNumbers(6, 20)` is `[1, null, 5, 6, 7, null, 20]`; null is a gap. */
export function pagerNumbers(page: number, count: number): (number | null)[] {
  const near = [1, page - 1, page, page + 1, count].filter((value) => value >= 1 && value <= count);
  const shown = [...new Set(near)].sort((a, b) => a - b);
  return shown.flatMap((value, index) => {
    const before = shown[index - 1];
    if (before === undefined || value === before + 1) return [value];
    return value === before + 2 ? [before + 1, value] : [null, value];
  });
}
