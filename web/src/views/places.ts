/** Where a reader stopped, by album. */
import { readStored, writeStored } from "../remembered";

export interface Place {
  readonly chapter: string;
  readonly page: number;
}

/** Albums whose place is kept; the one read longest ago goes first. */
const KEPT = 300;

export function placeOf(albumId: string): Place | null {
  return readStored<Record<string, Place>>("places", {})[albumId] ?? null;
}

export function keepPlace(albumId: string, place: Place): void {
  const { [albumId]: _, ...others } = readStored<Record<string, Place>>("places", {});
  const entries = [...Object.entries(others), [`${albumId}`, place] as const];
  // Keys that look like numbers come back in their own order; KEPT is a bound, not a history.
  writeStored("places", Object.fromEntries(entries.slice(-KEPT)));
}
