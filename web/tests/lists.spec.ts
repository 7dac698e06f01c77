/** Cards, the layout of lists, the pages that load while one scrolls, and where lists begin. */
import { ask, expect, expectAccessible, forgetDownloads, home, test } from "./page";

const FIRST_OF_PAGE_2 = ".further-page[data-page='2'] a.card >> nth=0";

test("a card tells author, category, pages and views, and its title without the circle", async ({ page }) => {
  await ask('{ album(id: "350234") { pageCount } }');
  await page.goto(`${home()}#/search?q=%E9%9B%A8%E6%9E%97%E6%B7%B1%E8%99%95`);
  const card = page.locator("a.card").first();
  await expect(card.locator(".card-authors")).not.toBeEmpty();
  await expect(card.locator(".card-facts")).toHaveText(/^\S.* · 24 pages · [\d.,KM]+ views/);
  await expect(card.locator(".card-title")).toHaveAttribute("title", "雨林深處的一天");
});

test("a list shows one album a row, and the choice is kept", async ({ page }) => {
  await page.goto(home());
  const cards = page.locator("a.card");
  await expect(cards.first()).toBeVisible();
  await page.getByLabel("Layout").selectOption("LIST");
  await expect(page.locator(".grid-list").first()).toBeVisible();
  await expectAccessible(page, "list");
  await page.reload();
  await expect(page.locator(".grid-list").first()).toBeVisible();
});

test("the next page loads while one scrolls, has an address, and the back button lands where one was", async ({ page }) => {
  await page.goto(`${home()}#/?period=all`);
  await page.locator("a.card").nth(79).scrollIntoViewIfNeeded();
  const card = page.locator(FIRST_OF_PAGE_2);
  await card.scrollIntoViewIfNeeded();
  await card.evaluate((shown) => shown.scrollIntoView({ block: "start" }));
  await expect(page).toHaveURL(/#\/\?period=all&page=2$/);
  const name = (await card.getAttribute("href")) ?? "";
  await expect.poll(() => page.evaluate(() => (history.state as { y?: number } | null)?.y === scrollY)).toBe(true);
  const y = await page.evaluate(() => scrollY);

  await card.click();
  await expect(page.locator(".album")).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/#\/\?period=all&page=2$/);
  await expect(page.locator(".further-page[data-page='2']")).toBeVisible();
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(y);
  await expect(card).toHaveAttribute("href", name);
  await expect(page.locator("[data-page='1'] a.card")).toHaveCount(80);

  // In another window the address leads to that page.
  await page.goto("about:blank");
  await page.goto(`${home()}#/?period=all&page=2`);
  await expect(page.locator("[data-page='2'] a.card").first()).toHaveAttribute("href", name);
  await expect(page.locator("[data-page='1']")).toHaveCount(0);
});

test.describe("to the end", () => {
  // Albums at the end of the demo's lists have covers that fail.
  test.use({ expectedErrors: ["Failed to load resource"] });

  test("every page of a list can be scrolled to, and then it ends", async ({ page }) => {
    const { ranking } = await ask<{ ranking: { total: number } }>("{ ranking { total } }");
    await page.goto(`${home()}#/?period=all`);
    const cards = page.locator("a.card");
    for (const number of [2, 3]) {
      await cards.last().scrollIntoViewIfNeeded();
      await expect(page.locator(`.further-page[data-page='${number}'] a.card`).first()).toBeAttached();
    }
    await expect(cards).toHaveCount(ranking.total);
    await expect(page.getByRole("link", { name: "Next", exact: true })).toHaveCount(0);
  });
});

test("the newest albums can be the first list", async ({ page }) => {
  const { ranking } = await ask<{ ranking: { entries: { album: { id: string } }[] } }>("{ ranking(orderBy: LATEST) { entries { album { id } } } }");
  const newest = `#/album/${ranking.entries[0]?.album.id}`;
  await page.goto(home());
  await page.getByRole("navigation", { name: "Order" }).getByRole("link", { name: "Latest" }).click();
  await expect(page.locator("a.card").first()).toHaveAttribute("href", newest);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("First list").selectOption("LATEST");
  await page.keyboard.press("Escape");
  await page.goto("about:blank");
  await page.goto(home());
  await expect(page.locator("a.card").first()).toHaveAttribute("href", newest);
});

test("a random album is opened, and an album leads to more of its author", async ({ page }) => {
  await page.goto(home());
  await page.getByRole("button", { name: "Random album" }).click();
  await expect(page).toHaveURL(/#\/album\/\d+$/);

  await page.goto(`${home()}#/album/350234`);
  const { album } = await ask<{ album: { authors: { name: string; albums: { items: { id: string }[] } }[] } }>(
    '{ album(id: "350234") { authors { name albums { items { id } } } } }',
  );
  const [author] = album.authors;
  const others = (author?.albums.items ?? []).filter(({ id }) => id !== "350234").slice(0, 6);
  const more = page.locator(".same-author");
  await more.scrollIntoViewIfNeeded();
  await expect(more.getByRole("heading", { name: `More by ${author?.name}` })).toBeVisible();
  await expect(more.locator("a.card")).toHaveCount(others.length);
});

test("titles are written in the chosen script, and the page in Traditional Chinese", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Titles of albums").selectOption("SIMPLIFIED");
  await page.getByRole("dialog").getByLabel("Language").selectOption("zh-Hant");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { level: 1, name: "雨林深处的一天" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "標籤" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hant");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hant");
});

test("a card says that this server has a file of the album", async ({ page }) => {
  test.slow();
  await forgetDownloads();
  await page.goto(`${home()}#/search?q=%E9%9B%A8%E6%9E%97%E6%B7%B1%E8%99%95`);
  const mark = page.locator("a.card").filter({ hasText: "雨林深處的一天" }).getByText("Downloaded");
  await expect(page.locator("a.card").first()).toBeVisible();
  await expect(mark).toHaveCount(0);
  await ask('mutation { startDownload(input: { albumId: "350234" }) { __typename } }');
  await expect(mark).toBeAttached({ timeout: 60_000 });
  await forgetDownloads();
  await expect(mark).toHaveCount(0);
});
