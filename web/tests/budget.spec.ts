/** Size of the page, and no layout shift while it loads. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, home, test } from "./page";

const BUILT = resolve(import.meta.dirname, "../../rest/static");
const SCRIPT_BYTES = 120_000;
const STYLE_BYTES = 12_000;
const PICTURE_BYTES = 40_000;
const SHIFT = 0.02;

test("script and style stay within the budget", () => {
  const html = readFileSync(`${BUILT}/index.html`, "utf-8");
  const sizeOf = (pattern: RegExp): number =>
    [...html.matchAll(pattern)].reduce((sum, [, file]) => sum + gzipSync(readFileSync(`${BUILT}/${file}`)).length, 0);
  expect(sizeOf(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)).toBeLessThan(SCRIPT_BYTES);
  expect(sizeOf(/href="\.\/(assets\/[^"]+\.css)"/g)).toBeLessThan(STYLE_BYTES);
});

test("the ranking's pictures are thumbnails, and the layout does not shift while they load", async ({ page }) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
  });
  const sizes: number[] = [];
  page.on("response", (answer) => {
    if (answer.url().includes("/images/")) sizes.push(Number(answer.headers()["content-length"]));
  });
  await page.goto(home());
  await expect.poll(() => page.locator(".cover-shown").count()).toBeGreaterThan(14);
  expect(Math.max(...sizes)).toBeLessThan(PICTURE_BYTES);
  const shift = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0));
  expect(shift).toBeLessThan(SHIFT);
});

test("assets are cached for ever, the page is revalidated, and it has a Content-Security-Policy", async ({ request }) => {
  const page = await request.get(home());
  expect(page.headers()["cache-control"]).toBe("no-cache");
  expect(page.headers()["content-security-policy"]).toContain("default-src 'none'");
  const [, script] = /src="\.\/(assets\/[^"]+\.js)"/.exec(await page.text()) ?? [];
  const asset = await request.get(home() + script);
  expect(asset.headers()["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(asset.headers()["content-type"]).toContain("text/javascript");
  expect((await request.get(`${home()}assets/..%2fpackage.json`)).status()).toBe(404);
});
