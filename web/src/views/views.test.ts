import { expect, test } from "vitest";
import { pagerNumbers } from "../components/pages";
import { matchedParts } from "../components/tag-names";
import { choice, pageOf, PERIODS, paramOf } from "./choices";
import { averaged, pageAfter, pagesAhead, spreads, stepOfKey, stepOfSwipe, stepOfTap, stepOfWheel, wayOfKey, within, zoomWithin } from "./reading";
import { shortTitle } from "../i18n/titles";
import { joined, numberOf, termsOf, withEarlier, wordsOf } from "./search-text";

test("a choice in the URL is read in any case, an unknown one is the default", () => {
  expect(choice("week", PERIODS, "ALL")).toBe("WEEK");
  expect(choice("fortnight", PERIODS, "ALL")).toBe("ALL");
  expect(choice(undefined, PERIODS, "DAY")).toBe("DAY");
  expect(paramOf("WEEK", "WEEK")).toBeUndefined();
  expect(paramOf("DAY", "WEEK")).toBe("day");
});

test.each([[undefined, 1], ["3", 3], ["0", 1], ["-2", 1], ["1e3", 1], ["999999", 1]])("page %s is %i", (text, page) => {
  expect(pageOf(text)).toBe(page);
});

test("the pager shows the ends and what is near, and never a gap of one", () => {
  expect(pagerNumbers(6, 20)).toEqual([1, null, 5, 6, 7, null, 20]);
  expect(pagerNumbers(3, 4)).toEqual([1, 2, 3, 4]);
  expect(pagerNumbers(4, 9)).toEqual([1, 2, 3, 4, 5, null, 9]);
  expect(pagerNumbers(1, 1)).toEqual([1]);
});

test("arrows go with the reading direction", () => {
  expect(stepOfKey("ArrowLeft", "rtl")).toBe("next");
  expect(stepOfKey("ArrowLeft", "ltr")).toBe("previous");
  expect(stepOfKey("ArrowDown", "scroll")).toBeNull();
  expect(wayOfKey("ArrowDown", false, "ltr")).toBe(1);
  expect(wayOfKey(" ", true, "rtl")).toBe(-1);
  expect(wayOfKey(" ", false, "scroll")).toBe(0);
  expect(stepOfKey("End", "scroll")).toBe("last");
  expect(stepOfKey("x", "ltr")).toBeNull();
});

test("a swipe turns the page in the reading direction, a scroll does not", () => {
  expect(stepOfSwipe(-90, 10, "ltr")).toBe("next");
  expect(stepOfSwipe(-90, 10, "rtl")).toBe("previous");
  expect(stepOfSwipe(-30, 0, "ltr")).toBeNull();
  expect(stepOfSwipe(-90, 80, "ltr")).toBeNull();
  expect(stepOfSwipe(-90, 0, "scroll")).toBeNull();
});

test("the sides turn pages, the middle does not", () => {
  expect(stepOfTap(10, 300, "ltr")).toBe("previous");
  expect(stepOfTap(10, 300, "rtl")).toBe("next");
  expect(stepOfTap(150, 300, "ltr")).toBeNull();
});

test("steps may leave the chapter, URLs may not", () => {
  expect(pageAfter("next", [24], 24)).toBe(25);
  expect(pageAfter("next", [4, 5], 24)).toBe(6);
  expect(pageAfter("previous", [4, 5], 24)).toBe(3);
  expect(pageAfter("previous", [1], 24)).toBe(0);
  expect(within(99, 24)).toBe(24);
  expect(within(0, 24)).toBe(1);
});

test("two pages stand side by side, but the cover and what is wider than high stand alone", () => {
  expect(spreads(5, new Set())).toEqual([[1], [2, 3], [4, 5]]);
  expect(spreads(6, new Set())).toEqual([[1], [2, 3], [4, 5], [6]]);
  expect(spreads(6, new Set([3]))).toEqual([[1], [2], [3], [4, 5], [6]]);
  expect(spreads(1, new Set())).toEqual([[1]]);
});

test("a quick connection fetches more pages ahead than a slow one, and one that saves data a single page", () => {
  expect([null, 120, 800, 4000].map((loadMs) => pagesAhead(loadMs, false))).toEqual([2, 6, 3, 1]);
  expect(pagesAhead(120, true)).toBe(1);
  expect(averaged(null, 900)).toBe(900);
  expect(averaged(900, 300)).toBe(700);
});

test("one movement of the wheel turns one page, and none that was scrolled just before", () => {
  expect(stepOfWheel(120, 1000, -Infinity, -Infinity)).toBe("next");
  expect(stepOfWheel(-120, 1000, -Infinity, -Infinity)).toBe("previous");
  expect(stepOfWheel(120, 1000, 900, -Infinity)).toBeNull();
  expect(stepOfWheel(120, 1000, -Infinity, 900)).toBeNull();
  expect(stepOfWheel(1, 1000, -Infinity, -Infinity)).toBeNull();
});

test("a zoom ends where the page fits, and at four times that", () => {
  expect([0.5, 1.5, 9].map(zoomWithin)).toEqual([1, 1.5, 4]);
});

test("the matched part of a text is counted in characters, an emoji is one", () => {
  expect(matchedParts({ text: "👓眼镜", start: 1, length: 2 })).toEqual(["👓", "眼镜", ""]);
  expect(matchedParts({ text: "sunglasses", start: 3, length: 5 })).toEqual(["sun", "glass", "es"]);
});

test.each([
  ["350234", "350234"], ["JM350234", "350234"], ["JM 350234", "350234"], ["车350234", "350234"], ["車號：350234", "350234"],
  ["【禁漫車：JM350234】", "350234"], ["#350234", "350234"], ["３５０２３４", "350234"], ["00350234", "350234"],
  ["https://comics.example/album/350234/title?from=list", "350234"], ["comics.example/photo/333909", "333909"],
  ["https://comics.example/album/?id=350234", "350234"], ["（https://comics.example/albums/350234）", "350234"],
])("%s is the number %s", (text, number) => {
  expect(numberOf(text)).toBe(number);
});

test.each(["", "机器人", "fate 2077", "-350234", "3.5", "1234567890123", "https://comics.example/search/350234", "0"])("%s is no number", (text) => {
  expect(numberOf(text)).toBeNull();
});

test("tags are looked for by the words that must be found, without their signs", () => {
  expect(wordsOf("+full color -短篇")).toBe("full color");
});

test("terms are read from a query in the site's form, and joined to it again", () => {
  expect(termsOf(" fox +全彩  -短篇 + ")).toEqual({
    text: "fox +",
    terms: [{ name: "全彩", isExcluded: false }, { name: "短篇", isExcluded: true }],
  });
  expect(joined(" fox ", [{ name: "全彩", isExcluded: false }, { name: "短篇", isExcluded: false }, { name: "全彩", isExcluded: true }])).toBe("fox -全彩 +短篇");
  expect(joined("", [])).toBe("");
});

test("an earlier search is kept once, the newest first, at most twenty", () => {
  expect(withEarlier(["a", "b"], "b")).toEqual(["b", "a"]);
  expect(withEarlier(["a"], "")).toEqual(["a"]);
  expect(withEarlier(Array.from({ length: 20 }, (_, index) => String(index)), "new")).toHaveLength(20);
});

test.each([
  ["[circle (artist)] Name [translated]", "Name"],
  ["【漢化組】（C99）名前 第2話 (原作)", "名前 第2話"],
  ["Name (part 1) of 2", "Name (part 1) of 2"],
  ["[all of it]", "[all of it]"],
  ["", ""],
])("the title %j is shown as %j", (title, shown) => {
  expect(shortTitle(title)).toBe(shown);
});
