/** The fixtures of every test: a page whose console is checked, the server and its demo site. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base, type Page } from "@playwright/test";

export const home = (): string => process.env["JMGRAPH_TEST_URL"] ?? "";

interface Fixtures {
  /** Console errors that a test expects, as parts of their text. */
  expectedErrors: string[];
  site: Site;
}

/** Sends an operation to the API directly. */
export async function ask<Data>(query: string, variables: Record<string, unknown> = {}, server = home()): Promise<Data> {
  const answer = await fetch(new URL("graphql", server), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data } = (await answer.json()) as { data: Data };
  return data;
}

/** Knobs of the demo site. */
export class Site {
  #url = "";

  /** The demo site of this server. */
  constructor(private readonly server = home()) {}

  /** Delays every answer of a role of hosts, in seconds. */
  async slow(latency: number, target: "image" | "api" | "html" = "image"): Promise<void> {
    await this.#turn({ target, latency_s: latency });
  }

  /** Adds a chapter to an album of several. */
  async publishChapter(album: string): Promise<void> {
    await this.#post("chapters", { album });
  }

  /** Every host of the site refuses every request. */
  async off(): Promise<void> {
    for (const target of ["image", "api", "html"]) await this.#turn({ target, status: 503 });
  }

  async reset(): Promise<void> {
    await this.#turn({ reset: true });
  }

  async #turn(knobs: Record<string, unknown>): Promise<void> {
    await this.#post("knobs", knobs);
  }

  async #post(what: string, body: Record<string, unknown>): Promise<void> {
    this.#url ||= await imageHost(this.server);
    const answer = await fetch(`${this.#url}/_demo/${what}`, { method: "POST", body: JSON.stringify(body) });
    expect(answer.ok).toBe(true);
  }
}

async function imageHost(server: string): Promise<string> {
  const data = await ask<{ server: { upstream: { hosts: { url: string; role: string }[] } } }>(
    "{ server { upstream { hosts { url role } } } }",
    {},
    server,
  );
  return data.server.upstream.hosts.find(({ role }) => role === "IMAGE")?.url ?? "";
}

export const test = base.extend<Fixtures>({
  expectedErrors: [[], { option: true }],
  site: async ({}, use) => {
    const site = new Site();
    await use(site);
    await site.reset();
  },
  page: async ({ page, expectedErrors }, use) => {
    const outside: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (/^https?:|^wss?:/.test(protocol) && hostname !== "127.0.0.1") outside.push(request.url());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !expectedErrors.some((part) => message.text().includes(part))) errors.push(message.text());
    });
    await use(page);
    expect(outside, "requests that left the machine").toEqual([]);
    expect(errors, "errors in the console").toEqual([]);
  },
});

/** Fails if axe finds anything serious or critical in what is shown. */
export async function expectAccessible(page: Page, view: string): Promise<void> {
  // Elements that are still fading in have no contrast to check.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished)));
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), view).toEqual([]);
}

/** Removes every download, so that a test starts with none. */
export async function forgetDownloads(): Promise<void> {
  const { downloads } = await ask<{ downloads: { nodes: { id: string }[] } }>("{ downloads(first: 100) { nodes { id } } }");
  for (const { id } of downloads.nodes) {
    await ask("mutation($id: ID!) { removeDownload(id: $id) { __typename } }", { id });
  }
}

export { expect };
