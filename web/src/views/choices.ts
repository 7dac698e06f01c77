/** Parameters of a list in the URL, and their defaults. */
import { storedSignal } from "../stored";
import type { AlbumOrder, Period, SearchField } from "../api/types";

export const PERIODS = ["DAY", "WEEK", "MONTH", "ALL"] as const satisfies readonly Period[];
export const RANKING_ORDERS = ["VIEWS", "LIKES", "LATEST"] as const satisfies readonly AlbumOrder[];
export const SEARCH_ORDERS = ["LATEST", "VIEWS", "LIKES", "PICTURES"] as const satisfies readonly AlbumOrder[];
export const FIELDS = ["SITE", "WORK", "AUTHOR", "TAG", "CHARACTER"] as const satisfies readonly SearchField[];
export const CATEGORIES = [
  "ALL", "DOUJIN", "SINGLE", "SHORT", "ANOTHER", "HANMAN", "MEIMAN", "DOUJIN_COSPLAY", "THREE_D", "ENGLISH_SITE",
] as const;

export const LANDINGS = ["VIEWS", "LATEST"] as const;

/** Which list the page opens with. */
export const landing = storedSignal<(typeof LANDINGS)[number]>("landing", "VIEWS");

/** `choice("week", PERIODS, "ALL")` is "WEEK". */
export function choice<Value extends string>(text: string | undefined, values: readonly Value[], defaultValue: Value): Value {
  return values.find((value) => value === text?.toUpperCase()) ?? defaultValue;
}

/** A page number; 1 by default. */
export function pageOf(text: string | undefined): number {
  return text && /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 1;
}

/** For the URL: lower case, and nothing for the default. */
export function paramOf<Value extends string>(value: Value, defaultValue: Value): string | undefined {
  return value === defaultValue ? undefined : value.toLowerCase();
}
