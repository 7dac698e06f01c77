/** The tag explorer: what was seen often, a search with a single result, and forms for developers. */
import { ask, expect, expectAccessible, home, test } from "./page";

test.beforeEach(async () => {
  await ask('{ albums(ids: ["350234", "145590"]) { id tags { name } } }');
});

test("the explorer opens with tags that were seen often, by namespace, with numbers", async ({ page }) => {
  await page.goto(`${home()}#/tags`);
  const often = page.getByRole("region", { name: "Often seen here" });
  await expect(often.getByRole("heading", { level: 3, name: "Language" })).toBeVisible();
  const tag = often.getByRole("link", { name: /^full color, \d+ albums?$/ });
  await expect(tag).toBeVisible();
  await expectAccessible(page, "often seen");
  await tag.click();
  await expect(page.getByRole("heading", { level: 1, name: /^full color/ })).toBeVisible();
});

test("a search that means one record opens it, and the list is still there", async ({ page }) => {
  await page.goto(`${home()}#/tags`);
  await page.getByRole("searchbox").fill("full color");
  await expect(page.getByRole("heading", { level: 1, name: /^full color/ })).toBeVisible();
  await expect(page.locator(".record[aria-current]")).toBeVisible();
  await expect(page.getByText("For developers")).toBeVisible();
  await expect(page.locator("pre").first()).toBeHidden();
});

test.describe("on a phone", () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });

  test("the way back from a record that opened by itself leads to the list", async ({ page }) => {
    await page.goto(`${home()}#/tags?q=full%20color`);
    await expect(page.getByRole("heading", { level: 1, name: /^full color/ })).toBeVisible();
    await page.getByRole("link", { name: "All tags" }).click();
    await expect(page.getByRole("searchbox")).toHaveValue("full color");
    await expect(page.locator(".record").first()).toBeVisible();
  });
});
