/** Nothing lies over what can be clicked: measured while scrolling, and shown in pictures. */
import { ask, expect, forgetDownloads, home, test } from "./page";

interface Box { x: number; y: number; width: number; height: number }

const areApart = (one: Box, other: Box): boolean =>
  one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y;

for (const album of ["350234", "333908"]) {
  test(`the cover of ${album} stays above the related albums at every scroll position`, async ({ page }, info) => {
    await page.setViewportSize({ width: 1440, height: 700 });
    await page.goto(`${home()}#/album/${album}`);
    await page.locator(".related .cover-shown").first().waitFor();
    await page.locator(".comments summary").first().click();
    await page.locator(".comment").first().waitFor();
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    for (let y = 0; y < height; y += 140) {
      await page.evaluate((top) => scrollTo({ top, behavior: "instant" }), y);
      const { cover, more } = await page.evaluate(() => ({
        cover: document.querySelector(".album-cover")?.getBoundingClientRect().bottom ?? 0,
        more: document.querySelector(".album-more")?.getBoundingClientRect().top ?? 0,
      }));
      expect(cover, `at ${y}`).toBeLessThanOrEqual(more);
    }
    await page.screenshot({ path: info.outputPath("end.png") });
  });
}

for (const viewport of [{ width: 1440, height: 700 }, { width: 800, height: 600 }]) {
  test(`the card of each tag leaves every control free at ${viewport.width} px`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await page.goto(`${home()}#/album/350234`);
    await page.locator(".album-cover .cover-shown").waitFor();
    const chips = page.locator(".chip-item > a");
    for (let index = 0; index < (await chips.count()); index += 1) {
      const chip = chips.nth(index);
      await chip.scrollIntoViewIfNeeded();
      await chip.hover();
      const card = page.locator(".chip-item").nth(index).getByRole("group");
      await expect(card.getByRole("link", { name: "Search albums" })).toBeVisible();
      await expect(card.locator(".skeleton")).toHaveCount(0);
      const box = (await card.boundingBox()) as Box;
      expect(box.y + box.height).toBeLessThanOrEqual(viewport.height);
      for (const control of await page.locator("main :is(a, button, select, input):not(.tag-card *)").all()) {
        const other = await control.boundingBox();
        if (other) expect(areApart(box, other), await control.innerText()).toBe(true);
      }
      // The card can be reached with the pointer.
      await card.getByRole("link", { name: "Search albums" }).hover();
      await expect(card).toBeVisible();
      await page.getByRole("heading", { level: 1 }).hover();
      await expect(card).toBeHidden();
    }
  });
}

test("a toast leaves the reader's slider free", async ({ page, site }) => {
  await forgetDownloads();
  await page.goto(`${home()}#/album/350234/read/350234`);
  await page.getByRole("img", { name: "Page 1 of 24" }).waitFor();
  await site.slow(0.2);
  await ask('mutation { startDownload(input: { albumId: "145590" }) { __typename } }');
  const toast = page.locator(".toast");
  await expect(toast).toBeVisible({ timeout: 30_000 });
  for (const control of await page.locator(".reader-bottom :is(button, input), .reader-top :is(a, select)").all()) {
    expect(areApart((await toast.boundingBox()) as Box, (await control.boundingBox()) as Box)).toBe(true);
  }
  await page.getByRole("slider", { name: "Page" }).click();
  await expect(page.getByRole("slider", { name: "Page" })).not.toHaveValue("1");
});
