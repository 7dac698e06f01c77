/** Reading positions of guests by album, in localStorage; those of people are at the server. */
import { readStored, writeStored } from "../stored";

export interface ReadingPosition {
  readonly chapter: string;
  readonly page: number;
}

export type Entry = readonly [albumId: string, position: ReadingPosition];

/** Number of albums kept; the one read longest ago is dropped first. */
const KEPT = 300;

/** A list and no object: the keys of an object that are numbers come in their own order, not in that of reading. */
export function readingPositions(): Entry[] {
  const stored = readStored<readonly Entry[] | Record<string, ReadingPosition>>("places", []);
  return Array.isArray(stored) ? [...stored as readonly Entry[]] : Object.entries(stored as Record<string, ReadingPosition>);
}

export function readingPosition(albumId: string): ReadingPosition | null {
  return readingPositions().find(([id]) => id === albumId)?.[1] ?? null;
}

export function forgetReadingPositions(): void {
  writeStored("places", []);
}

export function saveReadingPosition(albumId: string, position: ReadingPosition): void {
  const others = readingPositions().filter(([id]) => id !== albumId);
  writeStored("places", [...others, [albumId, position]].slice(-KEPT));
}
