/** Suggestions of the search box, and what must and must not be found. */
import { expect, expectAccessible, home, test } from "./page";

const box = { name: "Title, tag, author or album number" };

test("a word suggests tags in both languages; one that is chosen is searched for as the site spells it", async ({ page }) => {
  await page.goto(`${home()}#/search`);
  await page.getByRole("searchbox", box).fill("robot");
  const option = page.getByRole("option", { name: /robot.*机器人 · Female/ });
  await expect(option).toBeVisible();
  await expectAccessible(page, "suggestions");
  await option.click();
  await expect(page).toHaveURL(/#\/search\?q=%2B%E6%A9%9F%E5%99%A8%E4%BA%BA$/);
  await expect(page.getByRole("listbox")).toBeHidden();
  await expect(page.locator("a.card")).toHaveCount(26);
});

test("by keys: arrows choose, Shift and Enter exclude, Escape closes; chips are turned round and removed", async ({ page }) => {
  await page.goto(`${home()}#/search?q=%2B%E6%A9%9F%E5%99%A8%E4%BA%BA`);
  const terms = page.getByRole("list", { name: "Must and must not contain" });
  await expect(terms.getByRole("listitem")).toHaveCount(1);
  const input = page.getByRole("searchbox", box);
  await input.fill("全彩");
  await expect(page.getByRole("option", { name: /full color/ })).toBeVisible();
  await input.press("Escape");
  await expect(page.getByRole("listbox")).toBeHidden();
  await input.press("ArrowDown");
  await expect(page.getByRole("option", { name: /full color/ })).toHaveAttribute("aria-selected", "true");
  await input.press("Shift+Enter");
  await expect(page).toHaveURL(/q=%2B%E6%A9%9F%E5%99%A8%E4%BA%BA\+-%E5%85%A8%E5%BD%A9$/);
  await terms.getByRole("button", { name: /^Without 全彩/ }).click();
  await expect(page).toHaveURL(/q=%2B%E6%A9%9F%E5%99%A8%E4%BA%BA\+%2B%E5%85%A8%E5%BD%A9$/);
  await terms.getByRole("button", { name: "Remove 全彩" }).click();
  await expect(page).toHaveURL(/q=%2B%E6%A9%9F%E5%99%A8%E4%BA%BA$/);
});

test("a number suggests its album, and earlier searches come back until they are forgotten", async ({ page }) => {
  await page.goto(`${home()}#/search`);
  const input = page.getByRole("searchbox", box);
  await input.fill("森林");
  await input.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Results for “森林”" })).toBeVisible();
  await page.goto(`${home()}#/search`);
  await expect(page.getByRole("heading", { level: 1, name: "Search" })).toBeVisible();
  await input.click();
  await expect(page.getByRole("option", { name: /^森林/ })).toBeVisible();
  await page.getByRole("button", { name: "Forget earlier searches" }).click();
  await expect(page.getByRole("listbox")).toBeHidden();
  await input.fill("350234");
  await page.getByRole("option", { name: "Open album JM350234" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
});

test("/ leads to the search box from every view, and is a letter inside it", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("/");
  const input = page.getByRole("searchbox", box);
  await expect(input).toBeFocused();
  await page.keyboard.type("a/b");
  await expect(input).toHaveValue("a/b");
});

test("a search can be kept to a category", async ({ page }) => {
  await page.goto(`${home()}#/search?q=%E6%A9%9F%E5%99%A8%E4%BA%BA`);
  await expect(page.locator("a.card")).toHaveCount(26);
  await page.getByLabel("Category").selectOption("SINGLE");
  await expect(page).toHaveURL(/category=single$/);
  await expect(page.locator("a.card")).toHaveCount(3);
});
