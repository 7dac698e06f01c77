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
  await expect(panel.getByRole("link", { name: "HTTP API, to read and try" })).toHaveAttribute("href", "docs");
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
  await expect(problem).toContainText("Missing: page 7 of 12", { timeout: 60_000 });
  await expect(page.locator(".start").getByRole("button", { name: /^Try again/ })).toBeVisible();
});

test("comments show the day in the reader's language", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  await page.getByRole("button", { name: "中文" }).click();
  await page.locator(".comments summary").first().click();
  await expect(page.locator(".comment-head").first()).toContainText(/\d{4}年\d{1,2}月\d{1,2}日/);
});

test("a host that was never asked looks neither good nor bad", async ({ page }) => {
  await page.goto(home());
  await page.getByRole("button", { name: /^Status/ }).click();
  const hosts = page.getByRole("list", { name: "Hosts" }).getByRole("listitem");
  const untried = hosts.filter({ hasText: "not asked yet" }).first();
  const answering = hosts.filter({ hasText: / ms$/ }).first();
  const colour = (line: typeof untried): Promise<string> => line.locator(".status-dot").evaluate((dot) => getComputedStyle(dot).backgroundColor);
  await expect(untried).toBeVisible();
  expect(await colour(untried)).toBe("rgba(0, 0, 0, 0)");
  expect(await colour(answering)).not.toBe(await colour(untried));
});

test("what runs and what failed have different colours, and in Chinese nothing of it is English", async ({ page, site }) => {
  test.slow();
  await forgetDownloads();
  await ask('mutation { startDownload(input: { albumId: "900007" }) { __typename } }');
  await page.goto(home());
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByRole("button", { name: /^下载/ }).click();
  const drawer = page.getByRole("dialog", { name: "下载" });
  const problem = drawer.locator(".download-problem");
  await expect(problem).toContainText("缺少：第 7 页，共 12 页", { timeout: 60_000 });
  expect(await problem.innerText()).not.toMatch(/[a-z]{3,} [a-z]{2,}/);

  await site.slow(5);
  await ask('mutation { startDownload(input: { albumId: "350234", force: true }) { __typename } }');
  const mark = (state: string): Promise<string> =>
    drawer.locator(`.download-${state} .state-mark`).evaluate((dot) => getComputedStyle(dot).backgroundColor);
  await expect(drawer.locator(".download-RUNNING")).toBeVisible();
  expect(await mark("RUNNING")).not.toBe(await mark("FAILED"));
});

for (const [view, path] of [["a ranking", "#/?period=month&category=meiman"], ["a search", "#/search?q=slow"], ["an album", "#/album/2000321"]]) {
  test(`${view} that takes more than three seconds says what is tried, and can be stopped`, async ({ page, site }) => {
    await site.slow(8, "api");
    await site.slow(8, "html");
    await page.goto(home() + path);
    const box = page.getByRole("status").filter({ hasText: "The site is slow to answer" });
    await expect(box).toBeVisible();
    await expect(box.getByRole("list", { name: "Hosts" }).getByRole("listitem")).toHaveCount(2);
    await box.getByRole("button", { name: "Stop" }).click();
    await expect(page.getByRole("alert")).toContainText("You stopped waiting");
    await site.reset();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.locator(".cover-shown, .message").first()).toBeVisible();
    await expect(page.getByRole("alert")).toBeHidden();
  });
}

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

const DEVICES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Each view, and what is there once it is shown. */
const VIEWS: Record<string, string> = {
  "#/": ".cover-shown",
  "#/?period=month&page=2": ".cover-shown",
  "#/?page=99": ".message",
  "#/search": ".message",
  "#/search?q=%E5%85%A8%E5%BD%A9": ".cover-shown",
  "#/search?q=%E5%85%A8%E5%BD%A9%20%2B%E4%B8%AD%E6%96%87%20-%E7%9F%AD%E7%AF%87": ".terms",
  "#/search?q=%E6%9C%BA%E5%99%A8%E4%BA%BA": ".instead",
  "#/album/350234": ".related .cover-shown",
  "#/album/333908": ".chapters",
  "#/album/900404": ".message",
  "#/album/900403": ".message",
  "#/tags": ".record",
  "#/tags/other/full%20color": ".tag-record .cover-shown",
  "#/tags/other/nothing%20so": ".message",
  "#/album/333908/read/333908": ".reader-shown",
  "#/album/333908/read/350234": ".message",
  "#/library": ".library-entry, .message",
  "#/offline": ".message",
  "#/nowhere": ".message",
  docs: "h1",
};

for (const colorScheme of ["light", "dark"] as const) {
  for (const [device, viewport] of Object.entries(DEVICES)) {
    test.describe(`axe, ${colorScheme}, ${device}`, () => {
      test.use({ colorScheme, viewport, hasTouch: device === "phone", expectedErrors: [] });

      test("finds nothing serious in any view, and each has one heading of the first level", async ({ page }) => {
        test.setTimeout(180_000);
        for (const [path, selector] of Object.entries(VIEWS)) {
          await page.goto(home() + path);
          await page.locator(selector).first().waitFor();
          await expectAccessible(page, path);
          await expect(page.getByRole("heading", { level: 1 }), path).toHaveCount(1);
        }
      });

      test("finds nothing serious in cards, panels and forms", async ({ page }) => {
        test.slow();
        await page.goto(`${home()}#/album/350234`);
        const chip = page.getByRole("link", { name: /^full color/ });
        await (device === "phone" ? chip.tap() : chip.hover());
        await expect(page.getByRole("group", { name: "About full color" })).toContainText("每一页");
        await expectAccessible(page, "card");
        await page.goto(`${home()}#/tags/other/full%20color`);
        await page.getByText("Form: HTML, Text, Raw, AST").click();
        await expectAccessible(page, "forms");
        await page.getByRole("button", { name: /^Status/ }).click();
        await page.getByText("jmgraph ehtag sync").waitFor();
        await expectAccessible(page, "status");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: /^Downloads/ }).click();
        await expectAccessible(page, "downloads");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Settings" }).click();
        await expectAccessible(page, "settings");
      });
    });
  }
}
