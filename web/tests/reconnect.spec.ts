/** The server stops and starts again: what was shown stays, what was missed is fetched. */
import { ask, expect, forgetDownloads, home, test } from "./page";
import { proxy, type Proxy } from "./proxy";

let front: Proxy;

test.use({ expectedErrors: ["Failed to load resource", "WebSocket connection"] });
test.beforeEach(async () => {
  await forgetDownloads();
  front = await proxy("/jm", home());
});
test.afterEach(() => front.close());

const portOf = ({ origin }: Proxy): number => Number(new URL(origin).port);

test("what was seen can still be looked at, the rest comes by itself once the server is back", async ({ page }) => {
  await page.goto(`${front.origin}/jm/`);
  const card = page.locator('a.card[href="#/album/350234"]');
  await card.click();
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
  await page.goBack();
  await expect(card).toBeVisible();

  await front.close();
  await expect(page.getByRole("button", { name: "Status: The server can't be reached" })).toBeVisible();
  await card.click();
  await expect(page.getByRole("heading", { level: 1, name: "雨林深處的一天" })).toBeVisible();
  const refused = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/graphql"));
  await page.goBack();
  await refused;
  await expect(card).toBeVisible();
  await page.getByRole("link", { name: "This month" }).click();
  await expect(page.getByRole("alert")).toContainText("The server doesn't answer");

  front = await proxy("/jm", home(), portOf(front));
  await expect(page.locator("a.card").first()).toBeVisible();
  await expect(page.getByRole("alert")).toBeHidden();
  await expect(page.getByRole("button", { name: "Status: All well" })).toBeVisible();
});

test("a finished download that was removed meanwhile is gone when the server is back", async ({ page }) => {
  await page.goto(`${front.origin}/jm/#/album/350234`);
  await page.getByRole("button", { name: "Download", exact: true }).click();
  const save = page.locator(".start").getByRole("link", { name: /^Save file/ });
  await expect(save).toBeVisible();

  await front.close();
  await forgetDownloads();
  const { downloads } = await ask<{ downloads: { totalCount: number } }>("{ downloads { totalCount } }");
  expect(downloads.totalCount).toBe(0);
  front = await proxy("/jm", home(), portOf(front));

  await expect(save).toBeHidden();
});
