/** Views of failures: which host, the status, the site's own page, and other words for visitors than for the host. */
import { expect, expectAccessible, home, test } from "./page";

test("a failure of the site says which hosts were asked, and leads to the status and to the site's own page", async ({ page }) => {
  await page.goto(`${home()}#/album/900403`);
  const alert = page.getByRole("alert");
  await expect(alert.getByRole("list", { name: "What was tried" }).getByRole("listitem").first()).toContainText("127.0.0.1");
  await expect(alert.getByRole("link", { name: "The site's own page" })).toHaveAttribute("href", /^http:\/\/127\.0\.0\.1:\d+\/album\/900403$/);
  await expectAccessible(page, "failure");
  await alert.getByRole("button", { name: "Status" }).click();
  await expect(page.getByRole("dialog", { name: "Status" })).toBeVisible();
});

test("who runs the server reads what to set; a visitor does not", async ({ page }) => {
  await page.goto(`${home()}#/album/900403`);
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("JMGRAPH_JM_PROXY");

  // Somebody who is not the host: the same answer, without its right.
  await page.route("**/graphql", async (route) => {
    if (!route.request().postData()?.includes("query Viewer")) return route.fallback();
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace('"isAdmin":true', '"isAdmin":false') });
  });
  await page.reload();
  await expect(alert).toContainText("The site refuses the server's region");
  await expect(alert).not.toContainText("JMGRAPH_");
});
