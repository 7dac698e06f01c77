/** URLs on this server, as the page reaches it. */

const OURS = /\/(?:images\/(?:covers|pages)|downloads)\/[^#]*$/;

/** Base URL of the page, with a final slash; includes the sub-path of a proxy. */
export function baseUrl(): URL {
  return new URL("./", document.baseURI);
}

/**
 * The same file under the page's base URL. Absolute URLs of the API depend on the headers it received; with a
 * proxy that omits `X-Forwarded-Proto` they would be mixed content.
 */
export function local(url: string, base: URL = baseUrl()): string {
  const found = OURS.exec(url);
  return found ? new URL(found[0].slice(1), base).href : url;
}
