/** The current view: the part of the URL after `#`, so that the server only serves `/`. */
import { signal } from "@preact/signals";

export interface Route {
  /** `/album/350234` is `["album", "350234"]`. */
  readonly path: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}

export type Params = Readonly<Record<string, string | number | undefined>>;

export function parseHash(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { path: parts, params: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not a valid encoding: used as it is
  }
}

/** `href(["search"], {q: "fox"})` is `#/search?q=fox`; undefined and empty values are left out. */
export function href(path: readonly string[], params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export const route = signal<Route>(parseHash(typeof location === "undefined" ? "" : location.hash));

export function go(path: readonly string[], params: Params = {}): void {
  location.hash = href(path, params);
}

/** Replace the URL of the current view, without a new history entry. */
export function replace(path: readonly string[], params: Params = {}): void {
  history.replaceState(history.state, "", href(path, params));
  route.value = parseHash(location.hash);
}

interface EntryState {
  /** How far it was scrolled, in CSS pixels. */
  readonly y?: number;
  /** First page of a list whose later pages were loaded while scrolling. */
  readonly from?: number;
}

export function entryState(): EntryState {
  return (history.state as EntryState | null) ?? {};
}

/** Change the address of this history entry without a change of view: the page of a list one has scrolled to. */
export function rewriteAddress(hash: string, state: EntryState): void {
  history.replaceState({ ...entryState(), ...state }, "", hash);
}

/** Follows the URL; `onMove` is called for every change of view. */
export function followAddress(onMove: (restoredY: number | null) => void): void {
  // Behind a proxy that mounts us at /jm, /jm and /jm/ show the same page: use the latter.
  const home = new URL("./", document.baseURI).pathname;
  if (location.pathname !== home) history.replaceState(history.state, "", home + location.search + location.hash);
  history.scrollRestoration = "manual";
  let restoredY: number | null = null;
  addEventListener("popstate", (event) => {
    restoredY = (event.state as EntryState | null)?.y ?? null;
  });
  addEventListener("hashchange", () => {
    route.value = parseHash(location.hash);
    onMove(restoredY);
    restoredY = null;
  });
  let timer = 0;
  addEventListener(
    "scroll",
    () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => history.replaceState({ ...entryState(), y: scrollY }, ""), 120);
    },
    { passive: true },
  );
  const { y } = entryState();
  if (y) onMove(y);
}
