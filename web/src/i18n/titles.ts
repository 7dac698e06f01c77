/** Titles as the reader wants them: in which script, and without what a circle put around them. */
import { storedSignal } from "../stored";

/** SITE: as the site has it. */
export type TitleScript = "SITE" | "SIMPLIFIED" | "TRADITIONAL";

export const TITLE_SCRIPTS = ["SITE", "SIMPLIFIED", "TRADITIONAL"] as const satisfies readonly TitleScript[];

export const titleScript = storedSignal<TitleScript>("titles", "SITE");

const BRACKETED = String.raw`(?:\[[^\[\]]*\]|【[^【】]*】|［[^［］]*］|\([^()]*\)|（[^（）]*）)`;
const AROUND = new RegExp(String.raw`^(?:\s*${BRACKETED})+|(?:${BRACKETED}\s*)+$`, "gu");

/** `shortTitle("[circle (artist)] Name [translated]")` is "Name"; a title that is all brackets stays as it is. */
export function shortTitle(title: string): string {
  return title.replace(/\[([^[\]()]*)\([^()]*\)\]/gu, "[$1]").replace(AROUND, "").trim() || title;
}
