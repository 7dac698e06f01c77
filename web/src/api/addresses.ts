/** Addresses on this server, as the page reaches it. */

const OURS = /\/(?:images\/(?:covers|pages)|downloads)\/[^#]*$/;

/** Where the page was served from, with a final slash: also the sub-path of a proxy. */
export function home(): URL {
  return new URL("./", document.baseURI);
}

/**
 * The same file under the address that the page came from. The API's absolute addresses are right for the host it
 * was told; a proxy that forgets `X-Forwarded-Proto` would make them mixed content.
 */
export function local(url: string, base: URL = home()): string {
  const found = OURS.exec(url);
  return found ? new URL(found[0].slice(1), base).href : url;
}
