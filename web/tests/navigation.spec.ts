/** From a ranking to the reader, and what a reload must keep. */
import { readFile } from "node:fs/promises";
import { ask, expect, forgetDownloads, home, test } from "./page";

test.beforeEach(forgetDownloads);

test("from the ranking to the album, its tag, its download, its file, and into the reader", async ({ page, site }) => {
  test.slow();
  await ask('mutation { deleteHistory(albumIds: ["350234"]) }'); // others read it, and every test is the same person
  await page.goto(home());
  await expect(page.getByRole("heading", { name: "Rankings" })).toBeVisible();
  await page.getByRole("link", { name: "This month" }).click();
  await expect(page).toHaveURL(/#\/\?period=month$/);
  await expect(page.locator("a.card").first()).toBeVisible();
  await page.getByRole("link", { name: "This week" }).click();
  await page.locator('a.card[href="#/album/350234"]').click();
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();

  const chip = page.getByRole("link", { name: /^full color/ });
  await chip.hover();
  const card = page.getByRole("group", { name: "About full color" });
  await expect(card).toContainText("每一页都是彩色。");
  await expect(card).toContainText("On the site: 全彩");
  await expect(card).toContainText("Matches the record's name exactly.");
  await page.getByRole("heading", { level: 1 }).hover();
  await expect(card).toBeHidden();

  await site.slow(2); // one page after the other, so that progress can be seen
  await page.getByRole("combobox", { name: "File" }).selectOption("CBZ");
  await page.getByRole("button", { name: "Download", exact: true }).click();
  const progress = page.getByRole("progressbar", { name: "Progress of 雨林深處的一天" });
  await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(0);
  const before = await progress.evaluate((bar: HTMLProgressElement) => bar.value);
  expect(before).toBeLessThan(100);
  await site.reset();
  const save = page.locator(".start").getByRole("link", { name: /^Save file/ });
  await expect(save).toBeVisible({ timeout: 60_000 });
  const [file] = await Promise.all([page.waitForEvent("download"), save.click()]);
  expect(file.suggestedFilename()).toMatch(/\.cbz$/);
  expect((await readFile(await file.path())).subarray(0, 2).toString()).toBe("PK");

  await page.getByRole("link", { name: "Read", exact: true }).click();
  await expect(page.getByRole("img", { name: "Page 1 of 24" })).toHaveJSProperty("complete", true);
});

test("a click on a tag searches it, and the back button leads to the album again", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  await page.getByRole("link", { name: /^full color/ }).click();
  await expect(page).toHaveURL(/#\/search\?q=%E5%85%A8%E5%BD%A9&field=tag$/);
  await expect(page.getByRole("heading", { name: "Results for “全彩”" })).toBeVisible();
  await expect(page.locator("a.card").first()).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
});

test("the URL has the state: a reload shows the same page of the same list", async ({ page }) => {
  await page.goto(`${home()}#/search?q=%E5%85%A8%E5%BD%A9&order=likes&page=2`);
  const first = page.locator("a.card").first();
  const before = await first.getAttribute("href");
  await page.reload();
  await expect(first).toHaveAttribute("href", before ?? "");
  await expect(page.getByLabel("Order")).toHaveValue("LIKES");
  await expect(page.getByRole("link", { name: "Page 2" })).toHaveAttribute("aria-current", "page");
});

test("a reload in the middle of a download loses nothing, and the drawer cancels, retries and removes it", async ({ page, site }) => {
  test.slow();
  await site.slow(5); // longer than the reload: the download is under way still
  await page.goto(`${home()}#/album/350234`);
  await page.getByRole("button", { name: "Download", exact: true }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.reload();
  await page.getByRole("button", { name: "Downloads, 1 under way" }).click();
  const drawer = page.getByRole("dialog", { name: "Downloads" });
  await expect(drawer.getByRole("progressbar")).toBeVisible();
  await drawer.getByRole("button", { name: /^Cancel/ }).click();
  await expect(drawer.getByText("Cancelled")).toBeVisible();
  await site.reset();
  await drawer.getByRole("button", { name: /^Try again/ }).click();
  await expect(drawer.getByText("Ready")).toBeVisible({ timeout: 60_000 });
  await drawer.getByRole("button", { name: /^Remove/ }).click();
  await expect(drawer.getByText("No downloads yet")).toBeVisible();
});

test("a removed download stays removed when its album is opened again", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  const start = page.locator(".start");
  await start.getByRole("button", { name: "Download", exact: true }).click();
  await expect(start.getByRole("link", { name: /^Save file/ })).toBeVisible();
  await page.reload();
  await start.getByRole("button", { name: /^Remove/ }).click();
  await expect(start.locator(".download")).toHaveCount(0);
  await page.getByRole("link", { name: "Rankings", exact: true }).click();
  await expect(page.locator("a.card").first()).toBeVisible();

  const refreshed = page.waitForResponse((answer) => answer.request().postData()?.includes("query Album(") ?? false);
  await page.goBack();
  await refreshed;

  await expect(start.getByRole("button", { name: "Download", exact: true })).toBeVisible();
  await expect(start.locator(".download")).toHaveCount(0);
});

test("choosing an album in the drawer closes the drawer", async ({ page }) => {
  await ask('mutation { startDownload(input: { albumId: "350234" }) { __typename } }');
  await page.goto(home());
  await page.getByRole("button", { name: /^Downloads/ }).click();
  await page.getByRole("dialog", { name: "Downloads" }).getByRole("link", { name: "雨林深處的一天", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("main")).toBeFocused();
});

test("the reader turns pages in both directions and stores the position", async ({ page }) => {
  await page.goto(`${home()}#/album/350234/read/350234`);
  await page.getByLabel("Layout").selectOption("rtl");
  await page.getByRole("img", { name: "Page 1 of 24" }).click({ position: { x: 5, y: 300 } });
  await page.locator("main").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("img", { name: /^Page [23] of 24$/ })).toBeVisible();
  const shown = (await page.locator("main img").getAttribute("alt")) ?? "";
  await page.reload();
  await expect(page.getByRole("img", { name: shown })).toBeVisible();
  await page.getByRole("link", { name: "Back to the album" }).click();
  await expect(page.getByRole("link", { name: /^Continue at page [23]$/ })).toBeVisible();
});

test("in a series the position says of which chapter the page is", async ({ page }) => {
  await page.goto(`${home()}#/album/333908/read/333909?page=5`);
  await expect(page.getByRole("slider", { name: "Page" })).toHaveValue("5");
  await page.getByRole("link", { name: "Back to the album" }).click();
  await page.getByRole("link", { name: "Continue at chapter 2, page 5" }).click();
  await expect(page).toHaveURL(/#\/album\/333908\/read\/333909\?page=5$/);
});

for (const layout of ["ltr", "scroll"]) {
  test(`another page in the address is shown (${layout})`, async ({ page }) => {
    await page.goto(`${home()}#/album/350234/read/350234`);
    await page.getByLabel("Layout").selectOption(layout);
    await page.goto(`${home()}#/album/350234/read/350234?page=5`);
    await expect(page.getByRole("slider", { name: "Page" })).toHaveValue("5");
    await expect(page.getByRole("img", { name: "Page 5 of 24" })).toBeInViewport();
    await expect(page).toHaveURL(/\?page=5$/);
  });
}

test("a chapter's end leads into the next chapter", async ({ page }) => {
  await page.goto(`${home()}#/album/333908/read/333908?page=16`);
  await page.getByLabel("Layout").selectOption("ltr");
  await page.locator("main").focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("heading", { name: /^End of chapter 1/ })).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page).toHaveURL(/read\/333909$/);
  await expect(page.getByRole("img", { name: "Page 1 of 14" })).toBeVisible();
});
