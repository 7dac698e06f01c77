/** The page as an app: it opens without the server, and what is kept on the device is read there. */
import type { Page } from "@playwright/test";
import { expect, expectAccessible, home, test } from "./page";
import { proxy, type Proxy } from "./proxy";

let front: Proxy;

test.use({ expectedErrors: ["Failed to load resource", "WebSocket connection", "net::ERR"] });
test.beforeEach(async () => {
  front = await proxy("/jm", home());
});
test.afterEach(() => front.close());

const open = (page: Page, hash = ""): Promise<unknown> => page.goto(`${front.origin}/jm/${hash}`);

/** The worker answers for the page from now on. */
async function controlled(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

async function keep(page: Page, path: string): Promise<void> {
  await open(page, `#/album/${path}`);
  await page.getByRole("button", { name: "How pages are shown" }).click();
  await page.getByRole("button", { name: "Keep on this device" }).click();
}

test("the manifest names icons that are there, and takes shared addresses", async ({ request, page }) => {
  const answer = await request.get(`${home()}manifest.webmanifest`);
  expect(answer.headers()["content-type"]).toContain("application/manifest+json");
  const manifest = (await answer.json()) as { icons: { src: string; sizes: string; purpose: string }[]; start_url: string };
  expect(manifest.icons.map(({ sizes, purpose }) => `${sizes} ${purpose}`)).toEqual(["192x192 any", "512x512 any", "512x512 maskable"]);
  for (const { src, sizes } of manifest.icons) {
    const body = await (await request.get(home() + src)).body();
    expect(`${body.readUInt32BE(16)}x${body.readUInt32BE(20)}`).toBe(sizes);
  }
  await page.goto(`${home()}?title=A%20walk&text=https%3A%2F%2Fcomics.example%2Falbum%2F350234`);
  await expect(page).toHaveURL(`${home()}#/album/350234`);
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
});

test("a kept chapter is read without the server, and the place is not lost", async ({ page }) => {
  await open(page);
  await controlled(page);
  await keep(page, "350234/read/350234");
  await expect(page.getByText("On this device")).toBeVisible({ timeout: 30_000 });
  await expectAccessible(page, "a kept chapter");

  await front.close();
  await open(page, "?again#/offline");
  await page.reload();
  await expect(page.locator(".library-entry")).toHaveCount(1);
  await expectAccessible(page, "on this device");
  await page.locator(".library-entry").getByRole("link").click();
  const first = page.getByRole("img", { name: "Page 1 of 24" });
  await expect.poll(() => first.evaluate((picture: HTMLImageElement) => picture.naturalWidth)).toBeGreaterThan(0);
  await page.keyboard.press("End");
  const last = page.getByRole("img", { name: "Page 24 of 24" });
  await expect.poll(() => last.evaluate((picture: HTMLImageElement) => picture.naturalWidth)).toBeGreaterThan(0);
  await expect.poll(() => page.evaluate(() => localStorage.getItem("jmgraph.reports.owner"))).toContain('"page":24');
});

test("the chapter read last is kept by itself, in place of the one before, unless that was chosen", async ({ page }) => {
  await open(page);
  await controlled(page);
  for (const [path, count] of [["350234/read/350234?page=2", 1], ["333908/read/333908?page=2", 1]] as const) {
    await open(page, `#/album/${path}`);
    await expect.poll(() => page.evaluate(() => localStorage.getItem("jmgraph.offline.kept")), { timeout: 30_000 }).toContain(path.split("/")[0]);
    await expect.poll(() => page.evaluate(() => (JSON.parse(localStorage.getItem("jmgraph.offline.kept") ?? "[]") as unknown[]).length)).toBe(count);
  }
  await open(page, "#/offline");
  await expect(page.locator(".library-entry")).toContainText("read last");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "Remove all" }).click();
  await expect(page.getByText("No chapter is on this device")).toBeVisible();
  expect(await page.evaluate(() => caches.has("jmgraph-kept"))).toBe(false);
});

test("what does not fit into the limit is not kept, and leaves nothing behind", async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem("jmgraph.offline.limit", "0.01"));
  await open(page);
  await controlled(page);
  await keep(page, "350234/read/350234");
  await expect(page.getByRole("alert")).toContainText("It does not fit into the limit.");
  await expect.poll(() => page.evaluate(async () => (await (await caches.open("jmgraph-kept")).keys()).length)).toBe(0);
});

test("the server's page comes before the installed one, which is for when the server is away", async ({ page }) => {
  await open(page);
  await controlled(page);
  await page.evaluate(async () => {
    const name = (await caches.keys()).find((key) => key.startsWith("jmgraph-shell-")) ?? "";
    await (await caches.open(name)).put("./", new Response("<h1>An old page</h1>", { headers: { "Content-Type": "text/html" } }));
  });
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Rankings" })).toBeVisible();
  await front.close();
  await page.reload();
  await expect(page.getByRole("heading", { name: "An old page" })).toBeVisible();
});
