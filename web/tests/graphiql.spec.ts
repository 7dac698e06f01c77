/** GraphiQL, with nothing from elsewhere. */
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
