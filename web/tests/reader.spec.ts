/** The reader: sizes, two pages, zoom, wheel, small pages, the end of a chapter, a page that fails. */
import type { Locator, Page } from "@playwright/test";
import { expect, expectAccessible, home, test } from "./page";

/** Opens a chapter of 24 pages, turned page by page. */
async function openPaged(page: Page, at = 1, layout = "ltr"): Promise<void> {
  await page.goto(`${home()}#/album/350234/read/350234?page=${at}`);
  await page.getByLabel("Layout").selectOption(layout);
  await shown(page, at);
}

const picture = (page: Page, number: number): Locator => page.getByRole("img", { name: `Page ${number} of 24` });
const shown = (page: Page, number: number): Promise<void> => expect(picture(page, number)).toHaveClass(/reader-shown/);
const widthOf = (locator: Locator): Promise<number> => locator.evaluate((box) => Math.round(box.getBoundingClientRect().width));
const heightOf = (locator: Locator): Promise<number> => locator.evaluate((box) => Math.round(box.getBoundingClientRect().height));

async function choose(page: Page, name: string, option: string): Promise<void> {
  const opener = page.getByRole("button", { name: "How pages are shown" });
  await opener.click();
  await page.getByRole("dialog").getByRole("combobox", { name }).selectOption(option);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(opener).toBeFocused(); // the dialog gives the focus back after it is hidden
}

test("a page is as wide or as high as the window, whole, or in its own pixels", async ({ page }) => {
  await openPaged(page, 2);
  const natural = await picture(page, 2).evaluate((image: HTMLImageElement) => ({ width: image.naturalWidth, height: image.naturalHeight }));
  expect(await heightOf(picture(page, 2))).toBe(800 - 108);
  await choose(page, "Size", "width");
  const inside = await page.locator("main").evaluate((main) => main.clientWidth);
  expect(await widthOf(picture(page, 2))).toBe(inside);
  await choose(page, "Size", "original");
  expect(await widthOf(picture(page, 2))).toBe(natural.width);
  await choose(page, "Size", "height");
  expect(await heightOf(picture(page, 2))).toBe(800 - 108);
  await page.reload();
  await shown(page, 2);
  await page.getByRole("button", { name: "How pages are shown" }).click();
  await expect(page.getByRole("dialog").getByRole("combobox", { name: "Size" })).toHaveValue("height");
  await expectAccessible(page, "how pages are shown");
});

test("the strip is as wide as chosen, with the gap, background and brightness chosen", async ({ page }) => {
  await page.goto(`${home()}#/album/350234/read/350234`);
  await shown(page, 1);
  await page.getByRole("button", { name: "How pages are shown" }).click();
  await page.getByRole("slider", { name: "Width of the strip" }).fill("600");
  await page.getByRole("slider", { name: "Gap between pages" }).fill("20");
  await page.getByRole("slider", { name: "Brightness" }).fill("60");
  await page.getByLabel("Background").selectOption("white");
  await page.keyboard.press("Escape");
  expect(await widthOf(picture(page, 1))).toBe(600);
  const gap = await page.locator(".reader-scroll li").evaluateAll(([one, other]) => Math.round((other?.getBoundingClientRect().top ?? 0) - (one?.getBoundingClientRect().bottom ?? 0)));
  expect(gap).toBe(20);
  await expect(picture(page, 1)).toHaveCSS("filter", "brightness(0.6)");
  await expect(page.locator("main")).toHaveCSS("background-color", "rgb(255, 255, 255)");
});

test("two pages stand side by side, the cover alone, in the direction of reading", async ({ page }) => {
  await openPaged(page, 1, "rtl");
  await page.keyboard.press("d");
  await expect(page.locator("main img")).toHaveCount(1);
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".reader-count")).toHaveText("2–3 / 24");
  await shown(page, 2);
  await shown(page, 3);
  const left = (number: number): Promise<number> => picture(page, number).evaluate((box) => box.getBoundingClientRect().left);
  expect(await left(2)).toBeGreaterThan(await left(3));
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".reader-count")).toHaveText("4–5 / 24");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".reader-count")).toHaveText("2–3 / 24");
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.locator("main img")).toHaveCount(1);
});

test("the wheel and space turn pages, but scroll first what is higher than the window", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openPaged(page);
  await page.mouse.move(640, 400);
  await page.mouse.wheel(0, 200);
  await shown(page, 2);
  await page.locator("main").focus();
  await page.keyboard.press("Space");
  await shown(page, 3);
  await page.keyboard.press("Shift+Space");
  await shown(page, 2);
  await choose(page, "Size", "width");
  const main = page.locator("main");
  await main.focus();
  await page.keyboard.press("Space");
  await expect.poll(() => main.evaluate((box) => box.scrollTop)).toBeGreaterThan(100);
  await shown(page, 2);
  await main.evaluate((box) => box.scrollTo({ top: box.scrollHeight, behavior: "instant" }));
  await page.keyboard.press("Space");
  await shown(page, 3);
  await expect.poll(() => main.evaluate((box) => box.scrollTop)).toBe(0);
});

test("a double click, the wheel with Ctrl and keys zoom around the pointer, and the next page begins unzoomed", async ({ page }) => {
  await openPaged(page, 2);
  const before = await heightOf(picture(page, 2));
  await page.mouse.dblclick(640, 300);
  await expect.poll(() => heightOf(picture(page, 2))).toBe(before * 2);
  await page.mouse.dblclick(640, 300);
  await expect.poll(() => heightOf(picture(page, 2))).toBe(before);
  await page.keyboard.press("+");
  await expect.poll(() => heightOf(picture(page, 2))).toBe(before * 1.25);
  await page.keyboard.press("0");
  await page.mouse.move(640, 300);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -300);
  await page.keyboard.up("Control");
  await expect.poll(() => heightOf(picture(page, 2))).toBeGreaterThan(before * 2);
  await page.keyboard.press("ArrowRight");
  await shown(page, 3);
  await expect.poll(() => heightOf(picture(page, 3))).toBe(800 - 108);
});

test("another layout shows the page that was read", async ({ page }) => {
  await page.goto(`${home()}#/album/350234/read/350234?page=9`);
  await shown(page, 9);
  await page.getByLabel("Layout").selectOption("ltr");
  await shown(page, 9);
  await page.getByLabel("Layout").selectOption("scroll");
  await expect(picture(page, 9)).toBeInViewport();
  await expect(page.locator(".reader-count")).toHaveText("9 / 24");
});

test("the layout is remembered by album", async ({ page }) => {
  await openPaged(page, 1, "rtl");
  await page.goto(`${home()}#/album/333908/read/333908`);
  await page.getByLabel("Layout").selectOption("scroll");
  await page.goto(`${home()}#/album/350234/read/350234`);
  await expect(page.getByLabel("Layout")).toHaveValue("rtl");
  await page.goto(`${home()}#/album/333908/read/333909`);
  await expect(page.getByLabel("Layout")).toHaveValue("scroll");
});

test("small pages are small, mark the page that is shown, and lead to another", async ({ page }) => {
  await openPaged(page);
  const small = page.waitForResponse((answer) => answer.url().includes("/images/pages/350234/1?size=thumbnail"));
  await page.getByRole("button", { name: "Small pages" }).click();
  expect(Number((await small).headers()["content-length"])).toBeLessThan(20_000);
  const strip = page.getByRole("navigation", { name: "Small pages" });
  await expect(strip.getByRole("button", { name: "Page 1 of 24" })).toHaveAttribute("aria-current", "page");
  await strip.getByRole("button", { name: "Page 4 of 24" }).click();
  await shown(page, 4);
  await expectAccessible(page, "small pages");
});

test("the counter is shown while bars are hidden, and leaves", async ({ page }) => {
  await openPaged(page);
  await page.mouse.click(640, 400);
  await expect(page.locator(".reader-bare")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".reader-counter")).toHaveText("2 / 24");
  await expect(page.locator(".reader-counter")).toBeHidden();
});

test("the next pages are there before they are turned to", async ({ page }) => {
  const asked = page.waitForRequest((request) => request.url().endsWith("/images/pages/350234/3"));
  await openPaged(page);
  await asked;
});

test("after the last page come the next chapter, the way back, the mark as read and related albums", async ({ page }) => {
  await page.goto(`${home()}#/album/333908/read/333908?page=16`);
  await page.getByLabel("Layout").selectOption("ltr");
  await page.locator("main").focus();
  await page.keyboard.press("ArrowRight");
  const end = page.getByRole("region", { name: /^End of chapter 1/ });
  await expect(end.getByRole("link", { name: "To the album" })).toBeVisible();
  await expect(end.locator("a.card").first()).toBeVisible();
  await end.getByRole("button", { name: "Mark as read" }).click();
  await expect(end.getByRole("button", { name: "Marked as read" })).toHaveAttribute("aria-pressed", "true");
  await expectAccessible(page, "end of a chapter");
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("img", { name: "Page 16 of 16" })).toBeVisible();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  await end.getByRole("button", { name: "Next chapter" }).click();
  await expect(page).toHaveURL(/read\/333909$/);
});

test("the end of a scrolled chapter is below its last page", async ({ page }) => {
  await page.goto(`${home()}#/album/333908/read/333908?page=16`);
  await page.getByRole("img", { name: "Page 16 of 16" }).waitFor();
  await page.getByRole("button", { name: "Next page" }).click();
  await expect(page.getByRole("region", { name: /^End of chapter 1/ }).locator("a.card").first()).toBeVisible();
  await page.getByRole("button", { name: "Next page" }).click();
  await expect(page).toHaveURL(/read\/333909$/);
});

test.describe("a page that fails", () => {
  test.use({ expectedErrors: ["Failed to load resource"] });

  test("has its own retry", async ({ page }) => {
    await page.route("**/images/pages/350234/2", (route) => route.abort());
    await page.goto(`${home()}#/album/350234/read/350234`);
    const failed = page.getByRole("alert").filter({ hasText: "Page 2 could not be loaded." });
    await expect(failed).toBeVisible();
    await page.unroute("**/images/pages/350234/2");
    await failed.getByRole("button", { name: "Try again" }).click();
    await shown(page, 2);
  });
});

test("? shows all keys on every view, and Esc closes them alone", async ({ page }) => {
  for (const path of ["#/", "#/album/350234", "#/tags", "#/album/350234/read/350234"]) {
    await page.goto(home() + path);
    await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });
    await page.keyboard.press("?");
    const keys = page.getByRole("dialog", { name: "Keys" });
    await expect(keys).toContainText("Turn the page, in the direction of reading");
    if (path === "#/") await expectAccessible(page, "keys");
    await page.keyboard.press("Escape");
    await expect(keys).toBeHidden();
  }
  await expect(page).toHaveURL(/read\/350234/);
});

test.describe("by touch", () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });

  test("two fingers zoom a page", async ({ page }) => {
    await openPaged(page, 2);
    const before = await widthOf(picture(page, 2));
    await page.locator("main").evaluate((main) => {
      const finger = (identifier: number, clientX: number): Touch => new Touch({ identifier, target: main, clientX, clientY: 400 });
      const send = (kind: string, one: number, other: number): void =>
        void main.dispatchEvent(new TouchEvent(kind, { touches: [finger(1, one), finger(2, other)], cancelable: true, bubbles: true }));
      send("touchstart", 180, 220);
      send("touchmove", 150, 250);
    });
    await expect.poll(() => widthOf(picture(page, 2))).toBeGreaterThan(before * 1.9);
  });
});
