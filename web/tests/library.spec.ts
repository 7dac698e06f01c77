/** Albums that are followed, notifications of them, many downloads at once, and the album's own view. */
import { ask, expect, expectAccessible, forgetDownloads, home, Site, test } from "./page";
import { startDemo } from "./server";

const SERIES = "900120";

async function emptyLibrary(): Promise<void> {
  const { viewer } = await ask<{ viewer: { library: { nodes: { album: { id: string } }[] } } }>("{ viewer { library(first: 100) { nodes { album { id } } } } }");
  for (const { album } of viewer.library.nodes) await ask("mutation($id: ID!) { removeFromLibrary(albumId: $id) }", { id: album.id });
}

async function follow(...ids: string[]): Promise<void> {
  for (const albumId of ids) await ask("mutation($input: AddToLibraryInput!) { addToLibrary(input: $input) { __typename } }", { input: { albumId } });
}

test.beforeEach(async () => {
  await emptyLibrary();
  await forgetDownloads();
});

test("an album is added, a new chapter is found live, marked, and read from the library", async ({ page, site }) => {
  await page.goto(`${home()}#/album/${SERIES}`);
  await page.getByRole("button", { name: "To library" }).click();
  await expect(page.getByLabel("In library")).toBeVisible();
  await page.getByRole("link", { name: "Library", exact: true }).click();
  await expect(page.locator(".library-entry")).toHaveCount(1);
  await expect(page.locator(".library-entry .badge")).toHaveCount(0);

  await site.publishChapter(SERIES);
  await expect(page.locator(".library-entry .badge")).toHaveText("1 new", { timeout: 30_000 });
  await page.getByRole("button", { name: "Look for new chapters" }).click();
  await expect(page.locator(".toast").last()).toContainText(/looked at/);
  await expect(page.getByRole("link", { name: "Library, 1 album with new chapters" })).toBeVisible();
  await expectAccessible(page, "library");

  await page.getByRole("link", { name: "With new chapters", exact: true }).click();
  await expect(page.locator(".library-entry")).toHaveCount(1);
  await page.getByRole("link", { name: "Without" }).click();
  await expect(page.getByText("No album of the library fits")).toBeVisible();
  await page.getByRole("link", { name: "Show all" }).click();
  await page.locator(".library-entry").getByRole("link", { name: "Read the new" }).click();
  await expect(page).toHaveURL(new RegExp(`#/album/${SERIES}/read/`));
});

test("the library is searched, ordered, and set to download by itself; an album is removed from it", async ({ page }) => {
  await follow("350234", "333908", SERIES);
  await page.goto(`${home()}#/library`);
  await expect(page.locator(".library-entry")).toHaveCount(3);
  await page.getByRole("searchbox", { name: "Find in the library" }).fill("350234");
  await expect(page.locator(".library-entry")).toHaveCount(1);
  await expect(page).toHaveURL(/q=350234/);
  await page.goto(`${home()}#/library?order=title`);
  await expect(page.locator(".library-entry")).toHaveCount(3);
  await page.getByLabel("Order").selectOption("ADDED");
  const first = page.locator(".library-entry").first();
  await expect(first.getByRole("link").first()).toHaveAttribute("href", `#/album/${SERIES}`);
  await first.getByText("Following").click();
  await first.getByRole("checkbox", { name: "Download new chapters" }).check();
  await expect.poll(async () => (await ask<{ album: { libraryEntry: { autoDownload: boolean } } }>(`{ album(id: "${SERIES}") { libraryEntry { autoDownload } } }`)).album.libraryEntry.autoDownload).toBe(true);
  await first.getByRole("button", { name: /^Remove from library/ }).click();
  await expect(page.locator(".library-entry")).toHaveCount(2);
});

test("a selection of the library is downloaded at once", async ({ page }) => {
  page.on("dialog", (dialog) => void dialog.accept());
  await follow("350234", "145590");
  await page.goto(`${home()}#/library`);
  await page.getByRole("button", { name: "Select" }).click();
  const boxes = page.locator(".library-entry > input");
  await expect(boxes).toHaveCount(2);
  for (const box of await boxes.all()) await box.check();
  await page.getByRole("button", { name: "Download all 2" }).click();
  const drawer = page.getByRole("dialog", { name: "Downloads" });
  await expect(drawer.locator(".download")).toHaveCount(2);
  await expect(page.locator(".toast")).toContainText("2 albums are under way.");
});

test("all albums of an author are downloaded at once", async ({ page, site }) => {
  page.on("dialog", (dialog) => void dialog.accept());
  await site.slow(5);
  const { album } = await ask<{ album: { authors: { name: string }[] } }>('{ album(id: "350234") { authors { name } } }');
  await page.goto(`${home()}#/search?field=author&q=${encodeURIComponent(album.authors[0]?.name ?? "")}`);
  const button = page.getByRole("button", { name: /^Download (all \d+|1)$/ });
  const count = Number(/\d+/.exec(await button.innerText())?.[0]);
  await button.click();
  await expect(page.getByRole("dialog", { name: "Downloads" }).locator(".download")).toHaveCount(Math.min(count, 50));
});

test("an album has one row of what can be done with it, and its address is shared", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${home()}#/album/350234`);
  const row = page.locator(".album-actions");
  await expect(row.getByRole("link", { name: "Page on the site" })).toBeVisible();
  const tops = await row.locator(":scope > *").evaluateAll((parts) => parts.map((part) => Math.round(part.getBoundingClientRect().top)));
  expect(tops.length).toBe(5);
  expect(new Set(tops).size).toBe(1);
  await page.evaluate(() => Object.defineProperty(navigator, "share", { value: undefined }));
  await row.getByRole("button", { name: "Share" }).click();
  await expect(page.locator(".toast")).toContainText("The address is copied.");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${home()}#/album/350234`);
});

test("chapters of a long series are filtered, and say when they were read", async ({ page }) => {
  await ask("mutation($id: ID!) { setChaptersRead(albumId: $id, isRead: false) { __typename } }", { id: SERIES });
  await page.goto(`${home()}#/album/${SERIES}`);
  const lines = page.locator(".chapters > li");
  const all = await page.locator(".chapters-head h2 .quiet").innerText();
  await expect(lines).toHaveCount(Number(all));
  await lines.first().getByRole("button").click();
  await expect(lines.first().locator(".chapter-read")).toHaveText(/^Read · /);
  await page.getByRole("checkbox", { name: "Only unread" }).check();
  await expect(lines).toHaveCount(Number(all) - 1);
  await page.getByRole("checkbox", { name: "Newest first" }).check();
  await expect(lines.first()).toContainText(all);
  await page.getByRole("searchbox", { name: "Find a chapter" }).fill("3");
  await expect(lines.first().locator("a .quiet").first()).toHaveText("3");
  await page.getByRole("searchbox", { name: "Find a chapter" }).fill("no such chapter");
  await expect(page.getByText("No chapter fits.")).toBeVisible();
});

test("a tag without a record can be added by who has a token, and says why it was not", async ({ page }) => {
  await page.goto(`${home()}#/album/350234`);
  await page.getByRole("link", { name: "短篇 Not translated" }).hover();
  const card = page.getByRole("group", { name: "About 短篇" });
  await expect(card).toContainText("no record for this name");
  await expect(card.getByRole("button", { name: "Add to the database" })).toHaveCount(0);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("GitHub token").fill("ghp_of_nobody");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "短篇 Not translated" }).hover();
  await card.getByRole("button", { name: "Add to the database" }).click();
  const form = page.getByRole("dialog", { name: "Add a tag to the database" });
  await expect(form.getByRole("textbox", { name: "Name" })).toHaveValue("短篇");
  await form.getByRole("textbox", { name: "English tag, lower case" }).fill("short story");
  await expectAccessible(page, "add a tag");
  await form.getByRole("button", { name: "Add" }).click();
  await expect(form.getByRole("alert")).not.toBeEmpty();
});

test("notifications are set, shown masked, and tested", async ({ page }) => {
  await page.goto(home());
  await page.getByRole("button", { name: "You: owner" }).click();
  await page.getByText("Notifications", { exact: true }).click();
  const form = page.locator("details", { hasText: "Addresses, one a line" });
  await form.getByRole("textbox", { name: "Addresses, one a line" }).fill("no address at all");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("alert")).not.toBeEmpty();

  // Loopback: a test is refused, and nothing leaves the machine.
  await form.getByRole("textbox", { name: "Addresses, one a line" }).fill("json://127.0.0.1:9/secret-of-mine");
  await form.getByRole("checkbox", { name: "new chapters in my library" }).check();
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("textbox", { name: "Addresses, one a line" })).not.toHaveValue(/secret-of-mine|^$/);
  await expectAccessible(page, "notifications");
  await form.getByRole("button", { name: "Send a test" }).click();
  await expect(form.getByRole("list", { name: "What became of the test" }).getByRole("listitem")).toHaveCount(1);
  await expect(form.getByText("arrived")).toHaveCount(0);
});

test.describe("while the site is away", () => {
  test.use({ expectedErrors: ["502", "503", "504"] });
  // A server of its own: its hosts stay marked as failing for a while.
  let demo: { url: string; stop: () => Promise<void> };
  test.beforeAll(async () => {
    test.setTimeout(120_000);
    demo = await startDemo();
  });
  test.afterAll(() => demo.stop());

  test("a series that was kept is listed by its files, and read from them", async ({ page }) => {
    test.slow();
    await page.goto(`${demo.url}#/album/333908`);
    await page.getByText("Pictures and chapters").click();
    await page.getByRole("checkbox", { name: "Keep in the library, where it never expires" }).check();
    await page.getByRole("button", { name: "Download", exact: true }).click();
    const row = page.locator(".start .download");
    await expect(row.getByText("kept in the library")).toBeVisible();
    await row.getByText("3 files").click({ timeout: 60_000 });
    await expect(row.getByRole("link", { name: /^00[123] .*\.cbz$/ })).toHaveCount(3);

    await new Site(demo.url).off();
    await page.goto(`${demo.url}#/album/333908/read/333909?page=2`);

    await expect(page.getByRole("img", { name: /^Page 2 of / })).toHaveJSProperty("complete", true);
    await expect.poll(() => page.getByRole("img", { name: /^Page 2 of / }).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  });
});
