/** What people paste and type into the search. */
import { expect, home, test } from "./page";

const ALBUM = "雨林深處的一天";

for (const text of ["350234", "车350234", "JM 350234", "https://comics.example/album/350234/a-title?from=list"]) {
  test(`“${text}” leads to its album`, async ({ page }) => {
    await page.goto(`${home()}#/search`);
    await page.getByRole("searchbox").fill(text);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1, name: ALBUM })).toBeVisible();
    await expect(page).toHaveURL(/#\/album\/350234$/);
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1, name: "Search" })).toBeVisible();
  });
}

test("the address of a later chapter leads to its album", async ({ page }) => {
  await page.goto(`${home()}#/search?q=${encodeURIComponent("https://comics.example/photo/333909")}`);
  await expect(page.getByRole("heading", { level: 1, name: "雪山救援隊" })).toBeVisible();
  await expect(page).toHaveURL(/#\/album\/333908$/);
});

test("a number that is no album's can be searched for in titles", async ({ page }) => {
  await page.goto(`${home()}#/search?q=900404`);
  await expect(page.getByRole("heading", { level: 1, name: "There is no album 900404" })).toBeVisible();
  await page.getByRole("link", { name: "Search for “900404” in titles" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Results for “900404”" })).toBeVisible();
  await expect(page.getByText("Nothing found for “900404”")).toBeVisible();
});

for (const [typed, spelling, count] of [["机器人", "機器人", 26], ["收音机", "收音機", 1]] as const) {
  test(`${typed}, which finds nothing, is offered as ${spelling}, with how many that finds`, async ({ page }) => {
    await page.goto(`${home()}#/search?q=${encodeURIComponent(typed)}`);
    await expect(page.getByText(`Nothing found for “${typed}”`)).toBeVisible();
    await page.getByRole("link", { name: `${spelling}, ${count}` }).click();
    await expect(page.getByRole("heading", { name: `Results for “${spelling}”` })).toBeVisible();
    await expect(page.locator("a.card")).toHaveCount(count);
  });
}

test("an English tag that no title has is offered as the record it names, which lists albums", async ({ page }) => {
  await page.goto(`${home()}#/search?q=full%20color`);
  await expect(page.getByRole("heading", { name: "Tags that fit" })).toBeVisible();
  await page.getByRole("link", { name: /^full color/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: /full color/ })).toBeVisible();
  await expect(page.locator(".tag-record a.card").first()).toBeVisible();
});
