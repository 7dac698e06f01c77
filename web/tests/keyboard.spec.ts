/** Everything with the keyboard alone. */
import { expect, forgetDownloads, home, test } from "./page";

test.beforeEach(forgetDownloads);

test("everything can be reached without a mouse", async ({ page }) => {
  await page.goto(home());
  await page.locator('a.card[href="#/album/350234"]').waitFor();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Today" })).toBeFocused();

  await page.locator('a.card[href="#/album/350234"]').focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();

  const chip = page.getByRole("link", { name: /^full color/ });
  const isThere = (): Promise<boolean> => chip.evaluate((link) => link === document.activeElement);
  for (let tabs = 0; tabs < 60 && !(await isThere()); tabs += 1) await page.keyboard.press("Tab");
  await expect(chip).toBeFocused();
  const card = page.getByRole("group", { name: "About full color" });
  await expect(card).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(card.getByRole("link", { name: "Search albums" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(card).toBeHidden();
  await expect(chip).toBeFocused();

  await page.getByRole("button", { name: "Download", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".start").getByRole("link", { name: /^Save file/ })).toBeVisible();

  await page.getByRole("button", { name: /^Downloads/ }).focus();
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog", { name: "Downloads" });
  await expect(drawer.getByRole("button", { name: "Close" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(page.getByRole("button", { name: /^Downloads/ })).toBeFocused();

  await page.getByRole("link", { name: "Read", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("img", { name: "Page 1 of 24" })).toBeVisible();
  await page.getByRole("button", { name: "Next page" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("slider", { name: "Page" })).toHaveValue("2");
  await page.keyboard.press("End");
  await expect(page.getByRole("slider", { name: "Page" })).toHaveValue("24");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
});
