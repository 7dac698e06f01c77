/** Each view: tags, status, languages, error messages, accessibility (axe). */
import { ask, expect, expectAccessible, forgetDownloads, home, test } from "./page";

test("the tag explorer finds a record in either language and shows all its forms and albums", async ({ page }) => {
  await page.goto(`${home()}#/tags`);
  const box = page.getByRole("searchbox");
  await box.fill("full color");
  await expect(page.getByRole("link", { name: /^full color/ })).toBeVisible();
  await box.fill("全彩");
  await page.getByRole("link", { name: /^full color/ }).click();
  await expect(page).toHaveURL(/#\/tags\/other\/full%20color\?q=/);
  await page.getByText("Form: HTML, Text, Raw, AST").click();
  const intro = page.locator("pre").nth(1);
  await expect(intro).toHaveText("<p>每一页都是彩色。</p>");
  await page.getByRole("radio", { name: "AST" }).check();
  await expect(intro).toContainText('"type": "paragraph"');
  await page.getByRole("radio", { name: "Raw" }).check();
  await expect(intro).toHaveText("每一页都是彩色。");
  await expect(page.getByRole("heading", { name: /^Albums with this tag/ })).toBeVisible();
  await expect(page.locator(".tag-record a.card").first()).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: /full color 全彩/ })).toBeVisible();
});

test("the page of a tag's albums is in the address, so that a reload shows it again", async ({ page }) => {
  await page.goto(`${home()}#/tags/other/full%20color`);
  const first = page.locator(".tag-record a.card").first();
  await expect(first).toBeVisible();
  const before = (await first.getAttribute("href")) ?? "";
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page).toHaveURL(/#\/tags\/other\/full%20color\?page=2$/);
  await expect(first).not.toHaveAttribute("href", before);
  const second = (await first.getAttribute("href")) ?? "";
  await page.reload();
  await expect(first).toHaveAttribute("href", second);
});

test("a chapter of another album is not shown", async ({ page }) => {
  await page.goto(`${home()}#/album/350234/read/333909`);
  await expect(page.getByRole("link", { name: "Back to the album" })).toBeVisible();
  await expect(page.getByRole("img", { name: /^Page/ })).toHaveCount(0);
});

test("the status says method, hosts, Redis, workers, and how to replace the starter glossary", async ({ page }) => {
  await page.goto(home());
  await page.getByRole("button", { name: "Status: All well" }).click();
  const panel = page.getByRole("dialog", { name: "Status" });
  await expect(panel.getByText("jmgraph ehtag sync")).toBeVisible();
  await expect(panel.getByText("1 ready")).toBeVisible();
  await expect(panel.getByText(/web pages|mobile API/)).toBeVisible();
  await expect(panel.getByRole("list", { name: "Hosts" }).getByRole("listitem")).toHaveCount(6);
  await expect(panel.getByText(/^version 7, \d+ records$/)).toBeVisible();
});

test("a refusal of the site is explained, with what to do", async ({ page }) => {
  await page.goto(`${home()}#/album/900403`);
  await expect(page.getByRole("alert")).toContainText("The site refuses the server's region");
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("an album that is not there, an empty search and a wrong address each say what to do next", async ({ page }) => {
  await page.goto(`${home()}#/album/900404`);
  await expect(page.getByText("There is no album 900404")).toBeVisible();
  await page.goto(`${home()}#/search?q=nothing-is-called-so`);
  await expect(page.getByText("Nothing found for “nothing-is-called-so”")).toBeVisible();
  await page.goto(`${home()}#/nowhere`);
  await expect(page.getByText("Nothing here")).toBeVisible();
});

test("a failed download gives its reason in words and the page that is missing", async ({ page }) => {
  test.slow();
  await forgetDownloads();
  await ask('mutation { startDownload(input: { albumId: "900007" }) { __typename } }');
  await page.goto(`${home()}#/album/900007`);
  const problem = page.locator(".start .download-problem");
  await expect(problem).toContainText("900007/7", { timeout: 60_000 });
  await expect(page.locator(".start").getByRole("button", { name: /^Try again/ })).toBeVisible();
});

test("an untranslated tag looks different and says so", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  const chip = page.getByRole("link", { name: "短篇 Not translated" });
  await expect(chip).toHaveCSS("border-style", "dashed");
  await chip.hover();
  await expect(page.getByRole("group", { name: "About 短篇" })).toContainText("no record for this name");
});

test.describe("in Chinese", () => {
  test.use({ locale: "zh-CN" });
  test("the browser's language is taken, can be switched, and the choice is kept", async ({ page }) => {
    await page.goto(`${home()}#/album/350234`);
    await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
    await expect(page.getByRole("link", { name: "汉语 语言" })).toBeVisible();
    await page.getByRole("button", { name: "English" }).click();
    await expect(page.getByRole("link", { name: "chinese Language" })).toBeVisible();
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
  });
});

test.describe("by touch", () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });
  test("a tap on a tag shows its card, which leads to the search; a swipe turns the page", async ({ page }) => {
    await page.goto(`${home()}#/album/350234`);
    await page.getByRole("link", { name: /^full color/ }).tap();
    const card = page.getByRole("group", { name: "About full color" });
    await expect(card).toContainText("每一页都是彩色。");
    await card.getByRole("link", { name: "Search albums" }).tap();
    await expect(page).toHaveURL(/#\/search/);

    await page.goto(`${home()}#/album/350234/read/350234`);
    await page.getByLabel("Layout").selectOption("ltr");
    await expect(page.getByRole("img", { name: "Page 1 of 24" })).toBeVisible();
    const box = page.locator("main");
    await box.dispatchEvent("pointerdown", { clientX: 300, clientY: 400, pointerType: "touch" });
    await box.dispatchEvent("pointerup", { clientX: 80, clientY: 405, pointerType: "touch" });
    await expect(page.getByRole("img", { name: "Page 2 of 24" })).toBeVisible();
  });
});

test.describe("on a phone of 320 px", () => {
  test.use({ hasTouch: true, viewport: { width: 320, height: 640 } });
  test("no view is wider than the window", async ({ page }) => {
    const shown = { "#/": "a.card", "#/search?q=%E5%85%A8%E5%BD%A9": "a.card", "#/album/350234": ".related a.card", "#/tags/other/full%20color": ".tag-record a.card" };
    for (const [path, selector] of Object.entries(shown)) {
      await page.goto(home() + path);
      await page.locator(selector).first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBe(320);
    }
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`axe, ${colorScheme}`, () => {
    test.use({ colorScheme });
    test("finds nothing serious in any view", async ({ page }) => {
      test.slow();
      await page.goto(home());
      await page.locator(".cover-shown").first().waitFor();
      await expectAccessible(page);
      await page.goto(`${home()}#/search?q=JM`);
      await page.getByRole("heading", { name: "Results for “JM”" }).waitFor();
      await page.locator("main a.card, main .message").first().waitFor();
      await expectAccessible(page);
      await page.goto(`${home()}#/album/350234`);
      await page.getByRole("link", { name: /^full color/ }).hover();
      await expect(page.getByRole("group", { name: "About full color" })).toContainText("每一页");
      await expectAccessible(page);
      await page.goto(`${home()}#/tags/other/full%20color`);
      await page.getByText("Form: HTML, Text, Raw, AST").click();
      await page.locator(".tag-record .cover-shown").first().waitFor();
      await expectAccessible(page);
      await page.getByRole("button", { name: /^Status/ }).click();
      await page.getByText("jmgraph ehtag sync").waitFor();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^Downloads/ }).click();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Settings" }).click();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.goto(`${home()}#/album/333908/read/333908`);
      await page.getByRole("img", { name: "Page 1 of 16" }).waitFor();
      await expectAccessible(page);
    });
  });
}
