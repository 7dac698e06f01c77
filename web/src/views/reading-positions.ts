/** Reading positions by album, in localStorage. */
import { readStored, writeStored } from "../stored";

export interface ReadingPosition {
  readonly chapter: string;
  readonly page: number;
}

/** Number of albums kept; the one read longest ago is dropped first. */
const KEPT = 300;

export function readingPosition(albumId: string): ReadingPosition | null {
  return readStored<Record<string, ReadingPosition>>("places", {})[albumId] ?? null;
}

export function saveReadingPosition(albumId: string, position: ReadingPosition): void {
  const { [albumId]: _, ...others } = readStored<Record<string, ReadingPosition>>("places", {});
  const entries = [...Object.entries(others), [`${albumId}`, position] as const];
  // Object keys that are numbers are sorted: `KEPT` is a limit, not an exact order.
  writeStored("places", Object.fromEntries(entries.slice(-KEPT)));
}
