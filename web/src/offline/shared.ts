/** What another app shared with this one: an address or a text, as the share target of the manifest sends it. */
import { numberOf } from "../views/search-text";
import { href, parseHash, route } from "../router";

/** The view for `?title=…&text=…&url=…`: an album where any of them names one, else a search. Null: nothing was shared. */
export function viewOfShared(query: string): string | null {
  const params = new URLSearchParams(query);
  const texts = ["url", "text", "title"].flatMap((name) => params.get(name)?.trim() || []);
  for (const text of texts) {
    // An app may put the address into a sentence.
    const found = [text, ...text.split(/\s+/)].map(numberOf).find((number) => number !== null);
    if (found) return href(["album", found]);
  }
  const [first] = texts;
  return first === undefined ? null : href(["search"], { q: first });
}

/** Goes there, once: the address is then that of the view. */
export function openShared(): void {
  const view = viewOfShared(location.search);
  if (view === null) return;
  history.replaceState(null, "", location.pathname + view);
  route.value = parseHash(view);
}
