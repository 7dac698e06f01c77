import { expect, test } from "vitest";
import { href, parseHash } from "./router";

test("an address is read back as it was written", () => {
  const written = href(["tags", "other", "full color"], { q: "全彩 & co", page: 2, ns: undefined, empty: "" });
  expect(written).toBe("#/tags/other/full%20color?q=%E5%85%A8%E5%BD%A9+%26+co&page=2");
  expect(parseHash(written)).toEqual({ path: ["tags", "other", "full color"], params: { q: "全彩 & co", page: "2" } });
});

test("no hash is the front page", () => {
  expect(parseHash("")).toEqual({ path: [], params: {} });
  expect(parseHash("#/?period=day")).toEqual({ path: [], params: { period: "day" } });
});

test("an invalid encoding is used as it is", () => {
  expect(parseHash("#/album/%E0%A4%A").path).toEqual(["album", "%E0%A4%A"]);
});
