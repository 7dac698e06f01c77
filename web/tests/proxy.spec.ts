/** Everything works under a sub-path of a reverse proxy. */
import { ask, expect, forgetDownloads, home, test } from "./page";
import { proxy, type Proxy } from "./proxy";

let front: Proxy;

test.beforeAll(async () => {
  front = await proxy("/jm", home());
});
test.afterAll(() => front.close());

for (const opened of ["/jm", "/jm/"]) {
  test(`opened as ${opened}: lists, live downloads and pictures`, async ({ page }) => {
    await forgetDownloads();
    await ask("mutation { deleteHistory }");
    const missing: string[] = [];
    page.on("response", (answer) => answer.status() >= 400 && missing.push(answer.url()));
    await page.goto(front.origin + opened);
    await expect(page.locator(".cover-shown").first()).toBeVisible();
    await page.locator('a.card[href="#/album/350234"]').click();
    await expect(page).toHaveURL(`${front.origin}/jm/#/album/350234`);
    await page.getByRole("button", { name: "Download", exact: true }).click();
    const save = page.locator(".start").getByRole("link", { name: /^Save file/ });
    await expect(save).toHaveAttribute("href", new RegExp(`^${front.origin}/jm/downloads/`));
    await page.reload();
    await expect(save).toBeVisible();
    await page.getByRole("link", { name: "Read", exact: true }).click();
    await expect.poll(() => page.getByRole("img", { name: "Page 1 of 24" }).evaluate((picture: HTMLImageElement) => picture.naturalWidth)).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });
}

test("GraphiQL runs a subscription there too", async ({ page }) => {
  test.slow();
  await page.goto(`${front.origin}/jm/graphql`);
  await page.getByRole("tab", { name: "WatchDownloads" }).click();
  await expect(page.getByRole("region", { name: /(Operation|Query) Editor/i })).toContainText("downloadFeed");
  await page.getByRole("button", { name: /Execute query/i }).click();
  await expect(page.locator(".result-window")).toContainText('"isSnapshot": true');
});
