/** GraphiQL, with nothing from other servers. */
import { expect, home, test } from "./page";

test("opens on runnable tabs, runs a query and a subscription", async ({ page }) => {
  test.slow();
  await page.goto(`${home()}graphql`);
  await expect(page.getByRole("tab", { name: "RankingWithTags" })).toBeVisible();
  for (const name of ["StartDownload", "WatchDownloads", "TranslateTags"]) {
    await expect(page.getByRole("tab", { name })).toBeVisible();
  }
  const result = page.locator(".result-window");
  const run = page.getByRole("button", { name: /Execute query/i });
  const editor = page.getByRole("region", { name: /(Operation|Query) Editor/i });
  await page.getByRole("tab", { name: "TranslateTags" }).click();
  await expect(editor).toContainText("translateTags");
  await run.click();
  await expect(result).toContainText("other:full color");

  await page.getByRole("tab", { name: "WatchDownloads" }).click();
  await expect(editor).toContainText("downloadFeed");
  await page.getByRole("button", { name: /Execute query/i }).click();
  await expect(result).toContainText('"isSnapshot": true');
  await page.getByRole("button", { name: /Stop/i }).click();

  await page.getByRole("button", { name: /GraphiQL Explorer/ }).click();
  await expect(page.locator(".graphiql-explorer-root")).toContainText("downloadFeed");
});

test("a tab can't be chosen before the editors exist", async ({ page }) => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/assets\/monaco-editor/, (route) => held.then(() => route.continue()));
  const asked = page.waitForRequest(/\/assets\/monaco-editor/);
  await page.goto(`${home()}graphql`, { waitUntil: "commit" });
  await asked;
  const tab = page.getByRole("tab", { name: "TranslateTags", includeHidden: true });
  await expect(tab).toBeVisible();
  await expect(page.locator("#graphiql")).toHaveAttribute("inert");

  const chosen = tab.click();
  release();
  await chosen;
  await expect(page.getByRole("region", { name: /(Operation|Query) Editor/i })).toContainText("translateTags");
});
