/**
 * The service worker: the page opens without a network, and the pages that are kept on this device are shown. Whatever
 * the server answers comes first, so that no outdated page is shown after an update. It stands alone: no imports.
 */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetched extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface WorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(kind: "fetch", listener: (event: Fetched) => void): void;
}

const worker = self as unknown as WorkerScope;

/** Files of the page, and a name for this set of them; the build writes both. */
const FILES = "__FILES__" as unknown as readonly string[];
const VERSION = "__VERSION__";

const SHELLS = "jmgraph-shell-";
const SHELL = SHELLS + VERSION;
/** Filled by the page. */
const KEPT = "jmgraph-kept";
/** In the addresses of pictures that are kept: all others go to the server without passing through here. */
const MARK = "kept";
/** A server that doesn't answer for so long is taken to be away. */
const PATIENCE_MS = 4000;

worker.addEventListener("install", (event) => {
  event.waitUntil(install().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(removeOldShells().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const answer = event.request.method === "GET" ? answerOf(event.request) : null;
  if (answer) event.respondWith(answer);
});

async function install(): Promise<void> {
  const cache = await caches.open(SHELL);
  await cache.addAll(["./", ...FILES].map((file) => new Request(file, { cache: "no-cache" })));
}

async function removeOldShells(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(SHELLS) && name !== SHELL).map((name) => caches.delete(name)));
}

/** Null: the browser asks the server itself. */
function answerOf(request: Request): Promise<Response> | null {
  const home = new URL(worker.registration.scope);
  const url = new URL(request.url);
  if (url.origin !== home.origin || !url.pathname.startsWith(home.pathname)) return null;
  const path = url.pathname.slice(home.pathname.length);
  if (request.mode === "navigate") return path === "" ? page(request) : null;
  if (path.startsWith("assets/")) return cachedOr(request, SHELL);
  return path.startsWith("images/") && url.searchParams.has(MARK) ? kept(url) : null;
}

/** A picture that the page knows to be on this device; from the server where the browser has removed it. */
async function kept(url: URL): Promise<Response> {
  url.searchParams.delete(MARK);
  const cached = await caches.match(url.href, { cacheName: KEPT, ignoreVary: true });
  return cached ?? fetch(url.href);
}

/** As the server has it now; as it was installed where the server is away. */
async function page(request: Request): Promise<Response> {
  const shell = async (): Promise<Response> => (await caches.match("./", { cacheName: SHELL, ignoreVary: true })) ?? Response.error();
  const patience = new Promise<null>((done) => setTimeout(() => done(null), PATIENCE_MS));
  const answer = await Promise.race([fetch(request).catch(() => null), patience]);
  // A gateway in front of a server that is stopped says 502, 503 or 504.
  return answer && answer.status < 502 ? answer : shell();
}

async function cachedOr(request: Request, cacheName: string): Promise<Response> {
  const cached = await caches.match(request.url, { cacheName, ignoreVary: true });
  return cached ?? fetch(request);
}
