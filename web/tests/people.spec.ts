/** People: the walk from the first account over favourites to another browser that reads on, on a server of its own. */
import type { Browser, Page } from "@playwright/test";
import { expect, expectAccessible, home, test } from "./page";
import { startDemo } from "./server";

const PASSWORD = "sails-over-the-bay";

let demo: { url: string; stop: () => Promise<void> };

test.describe.configure({ mode: "serial" });
// A browser tells of each 401, which is how a closed server answers a guest.
test.use({ expectedErrors: ["401"] });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  demo = await startDemo();
});

test.afterAll(() => demo.stop());

async function open(page: Page, hash = ""): Promise<void> {
  await page.goto(`${demo.url}${hash}`);
}

async function logIn(page: Page, name = "Alice"): Promise<void> {
  await sendLogin(page, name);
  await expect(page.getByRole("button", { name: `You: ${name}` })).toBeVisible();
}

async function sendLogin(page: Page, name: string): Promise<void> {
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).last().click();
}

/** Ends the session of this browser without a word to the page. */
async function endSession(page: Page): Promise<void> {
  await page.context().clearCookies();
}

async function historyOf(page: Page): Promise<string[]> {
  await open(page, "#/history");
  // The same address again would show the same list.
  await page.reload();
  await expect(page.locator(".history-line, .message")).not.toHaveCount(0);
  return page.locator(".history-about").allInnerTexts();
}

/** A page of another browser, which knows nothing of the first. */
async function otherBrowser(browser: Browser): Promise<Page> {
  return (await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 800 } })).newPage();
}

test("what a browser remembered while the server was open belongs to the first account", async ({ page }) => {
  await page.addInitScript(() => {
    if (!localStorage.getItem("jmgraph.places")) localStorage.setItem("jmgraph.places", JSON.stringify([["333908", { chapter: "333908", page: 2 }]]));
  });
  await open(page);
  await page.getByRole("button", { name: "You: owner" }).click();
  await page.getByText("Accounts", { exact: true }).click();
  const form = page.locator("details", { hasText: "Add account" });
  await form.getByRole("textbox", { name: "Name" }).fill("Alice");
  await form.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await form.getByRole("button", { name: "Add account" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Log in" })).toBeVisible();
  await logIn(page);
  await open(page, "#/history");
  await expect(page.locator(".history-line")).toHaveCount(1);
  await expect(page.locator(".history-line")).toContainText("Page 2 of");
});

test.describe("a closed server", () => {
  test("shows a login and nothing of the catalogue", async ({ page }) => {
    const operations: string[] = [];
    page.on("request", (request) => {
      const body = request.postDataJSON() as { operationName?: string } | null;
      if (request.url().endsWith("/graphql")) operations.push(body?.operationName ?? "");
      if (request.url().includes("/images/")) operations.push("image");
    });
    await open(page);
    await expect(page.getByRole("heading", { level: 1, name: "Log in" })).toBeVisible();
    await expect(page.locator(".card")).toHaveCount(0);
    expect([...new Set(operations)].sort()).toEqual(["MayRead", "Viewer"]);
    await expectAccessible(page, "login");
    await page.getByRole("textbox", { name: "Name" }).fill("Alice");
    await page.getByRole("textbox", { name: "Password" }).fill("wrong-guess");
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByRole("alert")).toHaveText("Wrong name or password.");
  });
});

test("log in, connect, heart, favourites, read, and another browser continues", async ({ page, browser }) => {
  await open(page);
  await logIn(page);

  await page.getByRole("button", { name: "You: Alice" }).click();
  await expectAccessible(page, "menu");
  const site = page.locator(".person-part", { hasText: "Account of the site" });
  await site.getByRole("textbox", { name: "Name at the site" }).fill("reader");
  await site.getByRole("textbox", { name: "Password" }).fill("correct-horse");
  await site.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.locator(".card .cover").first()).toBeVisible();

  await open(page, "#/album/1208626");
  const heart = page.getByRole("button", { name: /^Favourite: / }).first();
  await expect(heart).toHaveAttribute("aria-pressed", "false");
  await heart.click();
  await expect(heart).toHaveAttribute("aria-pressed", "true");
  await expect(heart).toBeEnabled();

  await open(page, "#/favorites");
  await expect(page.getByRole("heading", { level: 1, name: "Favourites" })).toBeVisible();
  await expect(page.locator(".view-head")).toContainText("45 albums");
  await expect(page.locator("a.card").first()).toHaveAttribute("href", "#/album/1208626");
  await expectAccessible(page, "favourites");
  await page.getByRole("combobox", { name: "Folder" }).selectOption({ index: 2 });
  await expect(page.locator("a.card")).toHaveCount(3);

  await open(page, "#/album/350234/read/350234?page=5");
  await expect(page.locator(".reader-count")).toHaveText("5 / 24");
  await expect(async () => {
    const other = await otherBrowser(browser);
    await open(other);
    await logIn(other);
    await expect(other.locator(".continue-card").first()).toContainText("Page 5 of 24", { timeout: 2000 });
    await expectAccessible(other, "first page with continue reading");
    await other.locator(".continue-card").first().click();
    await expect(other.locator(".reader-count")).toHaveText("5 / 24");
    await other.context().close();
  }).toPass({ timeout: 30_000 });

  await open(page, "#/search?q=雨林");
  await expect(page.locator("li", { has: page.locator('a[href="#/album/350234"]') }).locator(".read-mark")).toHaveText("Page 5 of 24");
});

test("chapters are marked as read, one or all", async ({ page }) => {
  await open(page);
  await logIn(page);
  await open(page, "#/album/900120");
  const marks = page.locator(".chapter-mark");
  await page.locator(".chapters li").first().getByRole("button").click();
  await expect(marks).toHaveCount(1);
  await page.getByRole("button", { name: "Mark all as read" }).click();
  await expect(marks).toHaveCount(12);
  await page.getByRole("button", { name: "Mark all as unread" }).click();
  await expect(marks).toHaveCount(0);
  await expectAccessible(page, "chapters");
});

test("history is shown and forgotten, a token is made and revoked, and a logout leaves nothing", async ({ page }) => {
  await open(page);
  await logIn(page);
  await open(page, "#/history");
  await expect(page.locator(".history-line").first()).toContainText("Page 5 of 24");
  await expectAccessible(page, "history");
  const count = await page.locator(".history-line").count();
  await page.locator(".history-line").first().getByRole("button").click();
  await expect(page.locator(".history-line")).toHaveCount(count - 1);

  await page.getByRole("button", { name: "You: Alice" }).click();
  await page.getByRole("textbox", { name: "What it is for" }).fill("phone");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.locator(".token-made code")).toHaveText(/^jmg_/);
  await page.getByRole("button", { name: "Revoke phone" }).click();
  await expect(page.getByRole("button", { name: "Revoke phone" })).toHaveCount(0);
});

test("a session that ends under the page leads to the login, and no page that was read is lost", async ({ page }) => {
  await open(page);
  await logIn(page);
  await open(page, "#/album/350234/read/350234?page=8");
  await expect(page.locator(".reader-count")).toHaveText("8 / 24");
  await endSession(page);
  await page.keyboard.press("End");
  await expect(page.getByRole("heading", { level: 1, name: "Log in" })).toBeVisible();
  await sendLogin(page, "Alice");
  await expect(page.locator(".reader-count")).toHaveText("24 / 24");
  await expect(async () => expect((await historyOf(page))[0]).toMatch(/ Read$/)).toPass({ timeout: 15_000 });
});

test.describe("while the server is away", () => {
  test.use({ expectedErrors: ["401", "ERR_INTERNET_DISCONNECTED"] });

  test("what is read is kept, and sent once it is back", async ({ page }) => {
    await open(page);
    await logIn(page);
    await open(page, "#/album/1208626/read/1208626?page=1");
    await expect(page.locator(".reader-count")).toContainText("1 / ");
    await page.context().setOffline(true);
    await page.keyboard.press("ArrowRight");
    await expect(page.locator(".reader-count")).toContainText("2 / ");
    await expect.poll(() => page.evaluate(() => localStorage.getItem("jmgraph.reports.owner"))).toContain('"page":2');
    await page.context().setOffline(false);
    await expect.poll(() => page.evaluate(() => localStorage.getItem("jmgraph.reports.owner")), { timeout: 40_000 }).toBe("[]");
    expect((await historyOf(page))[0]).toContain("Page 2 of");
  });
});

test("a second person in the same browser sees nothing of the first one's reading", async ({ page }) => {
  await open(page);
  await logIn(page);
  await page.getByRole("button", { name: "You: Alice" }).click();
  await page.getByText("Accounts", { exact: true }).click();
  const form = page.locator("details", { hasText: "Add account" });
  await form.getByRole("textbox", { name: "Name" }).fill("Bert");
  await form.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await form.getByRole("button", { name: "Add account" }).click();
  await expect(page.getByRole("button", { name: "Remove Bert" })).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Log in" })).toBeVisible();
  await logIn(page, "Bert");
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("jmgraph.taken.")).length)).toBe(2);
  expect(await historyOf(page)).toEqual([]);
  await open(page, "#/album/350234");
  await expect(page.getByRole("link", { name: "Read", exact: true })).toBeVisible();
});

test("a cookie that is no longer valid does not lock anybody out of an open server", async ({ page }) => {
  const stale = `jmg_${"A".repeat(43)}`;
  await page.context().addCookies([{ name: "jmgraph_session", value: stale, url: home() }]);
  await page.goto(home());
  await expect(page.getByRole("button", { name: "You: owner" })).toBeVisible();
});
