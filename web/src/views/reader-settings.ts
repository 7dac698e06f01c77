/** How a reader likes to read, in this browser; the layout of each album too. */
import { signal } from "@preact/signals";
import { readStored, storedSignal, writeStored } from "../stored";
import { averaged, pagesAhead, type Fit, type Mode } from "./reading";

export type Background = "dark" | "black" | "paper" | "white";
export const BACKGROUNDS: readonly Background[] = ["dark", "black", "paper", "white"];

/** Of the strip of pages in the scrolled layout, in CSS pixels. */
export const STRIP_PX = { narrowest: 400, usual: 860, widest: 2400 } as const;
/** Between pages, in CSS pixels. */
export const WIDEST_GAP_PX = 60;
/** In percent of the picture's own. */
export const DARKEST = 30;

/** The layout of albums without a choice of their own: the last one chosen. */
const usualMode = storedSignal<Mode>("reader", "scroll");
export const fit = storedSignal<Fit>("reader.fit", "page");
export const stripWidth = storedSignal<number>("reader.strip", STRIP_PX.usual);
export const isTwoPages = storedSignal("reader.two", false);
export const gap = storedSignal("reader.gap", 0);
export const background = storedSignal<Background>("reader.background", "dark");
export const brightness = storedSignal("reader.brightness", 100);
export const hasThumbnails = storedSignal("reader.thumbnails", false);

/** Albums whose layout is kept; the one set longest ago is dropped first. */
const KEPT = 300;
const MODES_KEY = "reader.modes";

export function modeOf(albumId: string): Mode {
  return readStored<[string, Mode][]>(MODES_KEY, []).find(([id]) => id === albumId)?.[1] ?? usualMode.value;
}

export function saveMode(albumId: string, mode: Mode): void {
  usualMode.value = mode;
  const others = readStored<[string, Mode][]>(MODES_KEY, []).filter(([id]) => id !== albumId);
  writeStored(MODES_KEY, [...others, [albumId, mode]].slice(-KEPT));
}

/** What a page has taken to load lately, in milliseconds; of this window. */
const loadMs = signal<number | null>(null);

/** `ms`: from asking for a picture until it was there. */
export function measured(ms: number): void {
  loadMs.value = averaged(loadMs.value, ms);
}

/** Pages to fetch before they are turned to, on this connection. */
export function ahead(): number {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  return pagesAhead(loadMs.value, connection?.saveData ?? false);
}
