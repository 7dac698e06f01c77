/** The main views in light and dark, on phone and desktop, for the README. */
import { resolve } from "node:path";
import { ask, expect, forgetDownloads, home, test } from "./page";

const FOLDER = resolve(import.meta.dirname, "../../docs/screenshots");
const DEVICES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Sixty pages: with the site slowed down it runs long enough to be shown. */
const START_SLOW = 'mutation { startDownload(input: { albumId: "438516", archive: CBZ }) { ... on Download { id } } }';

/** One failed and two finished downloads. */
async function fillDrawer(): Promise<void> {
  await forgetDownloads();
  for (const [albumId, archive] of [["145590", "PDF"], ["900413", "ZIP"], ["350234", "CBZ"]]) {
    await ask("mutation($input: StartDownloadInput!) { startDownload(input: $input) { __typename } }", { input: { albumId, archive } });
  }
  await expect
    .poll(async () => (await ask<{ downloads: { totalCount: number } }>("{ downloads(states: [READY, FAILED]) { totalCount } }")).downloads.totalCount, {
      timeout: 60_000,
    })
    .toBe(3);
}

const FOLLOWED = ["350234", "333908", "900120", "145590"];

/** A library with a new chapter, and the favourites of an account of the site. */
async function fillLibrary(publish: () => Promise<void>): Promise<void> {
  await ask('mutation { connectSiteAccount(input: { username: "reader", password: "correct-horse" }) { __typename } }');
  for (const albumId of FOLLOWED) await ask("mutation($id: ID!) { addToLibrary(input: { albumId: $id }) { __typename } }", { id: albumId });
  await ask('mutation { setReadingProgress(input: { albumId: "350234", chapterId: "350234", page: 12 }) { __typename } }');
  await publish();
  const news = '{ viewer { library(filter: { hasNew: true }) { totalCount } } }';
  await expect
    .poll(async () => (await ask<{ viewer: { library: { totalCount: number } } }>(news)).viewer.library.totalCount, { timeout: 60_000 })
    .toBe(1);
}

async function emptyLibrary(): Promise<void> {
  for (const id of FOLLOWED) await ask("mutation($id: ID!) { removeFromLibrary(albumId: $id) }", { id });
  await ask("mutation { disconnectSiteAccount deleteHistory }");
}

test("are written", async ({ browser, site }) => {
  test.setTimeout(240_000);
  await fillDrawer();
  await fillLibrary(() => site.publishChapter("900120"));
  for (const index of [1, 2, 3, 4]) await fetch(`${home()}images/pages/350234/${index}`);
  for (const [device, viewport] of Object.entries(DEVICES)) {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ viewport, colorScheme, locale: "zh-CN", timezoneId: "UTC", hasTouch: device === "phone" });
      const page = await context.newPage();
      const shoot = async (name: string): Promise<void> => {
        await page.evaluate(() => Promise.allSettled(document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished)));
        await page.screenshot({ path: `${FOLDER}/${name}-${colorScheme}-${device}.jpg`, type: "jpeg", quality: 84 });
      };
      await page.goto(home());
      await expect.poll(() => page.locator(".cover-shown").count()).toBeGreaterThan(11);
      await shoot("ranking");
      await page.goto(`${home()}#/search?q=%E9%9B%A8%E6%9E%97`);
      await page.locator(".cover-shown").first().waitFor();
      await page.locator('input[type="search"], input[aria-autocomplete]').first().fill("汉语");
      await page.getByRole("listbox").getByRole("option").first().waitFor();
      await shoot("search");
      await page.goto(`${home()}#/library`);
      await page.locator(".library-entry .badge").waitFor();
      await expect.poll(() => page.locator(".cover-shown").count()).toBeGreaterThan(3);
      await shoot("library");
      await page.goto(`${home()}#/favorites`);
      await expect.poll(() => page.locator(".cover-shown").count()).toBeGreaterThan(3);
      await shoot("favorites");
      await page.goto(`${home()}#/album/350234`);
      await page.locator(".album-cover .cover-shown").waitFor();
      const chip = page.getByRole("link", { name: /^全彩/ });
      await (device === "phone" ? chip.tap() : chip.hover());
      await page.getByText("每一页都是彩色。").waitFor();
      await shoot("album");
      await page.goto(`${home()}#/tags/other/full%20color`);
      await page.locator(".tag-record .cover-shown").first().waitFor();
      await shoot("tags");
      await site.slow(1);
      const { startDownload: running } = await ask<{ startDownload: { id: string } }>(START_SLOW);
      await page.getByRole("button", { name: /^下载/ }).click();
      const progress = page.getByRole("dialog").getByRole("progressbar");
      await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(10);
      await shoot("downloads");
      await ask("mutation($id: ID!) { removeDownload(id: $id) { __typename } }", { id: running.id });
      await site.reset();
      await page.keyboard.press("Escape");
      await page.goto(`${home()}#/album/350234/read/350234?page=3`);
      const third = page.getByRole("img", { name: "第 3 页，共 24 页" });
      await expect(third).toHaveClass(/reader-shown/);
      await third.evaluate((picture: HTMLImageElement) => picture.decode());
      await expect.poll(() => third.evaluate((picture) => Math.round(picture.getBoundingClientRect().top))).toBe(54);
      await shoot("reader");
      await context.close();
    }
  }
  await forgetDownloads();
  await emptyLibrary();
});
