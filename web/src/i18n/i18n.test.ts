import { beforeEach, expect, test } from "vitest";
import { day, duration, relative, siteDay, size } from "./formats";
import { en } from "./en";
import { language, preferredLanguage } from "./index";
import { zh } from "./zh";
import { zhHant } from "./zh-hant";

beforeEach(() => {
  language.value = "en";
});

/** "list.periods.DAY" for every word, functions too. */
function keys(words: object, before = ""): string[] {
  return Object.entries(words).flatMap(([name, value]) =>
    value !== null && typeof value === "object" ? keys(value as object, `${before}${name}.`) : [`${before}${name}`],
  );
}

test("all languages say the same things", () => {
  expect(keys(zh)).toEqual(keys(en));
  expect(keys(zhHant)).toEqual(keys(en));
});

test.each([
  [["zh-CN", "en"], "zh"],
  [["zh-Hant-TW"], "zh-Hant"],
  [["zh-HK", "zh"], "zh-Hant"],
  [["zh-Hans-HK"], "zh"],
  [["fr", "zh"], "zh"],
  [["en-GB", "zh"], "en"],
  [["fr"], "en"],
  [[], "en"],
])("a browser that likes %j gets %s", (languages, expected) => {
  expect(preferredLanguage(languages)).toBe(expected);
});

test("sizes, days and spans read as people write them", () => {
  expect(size(0)).toBe("0 byte");
  expect(size(1536)).toBe("1.5 kB");
  expect(size(12_345_678)).toBe("12.3 MB");
  expect(day("2026-04-19")).toBe("Apr 19, 2026");
  expect(relative("2026-06-01T00:29:30Z", Date.parse("2026-06-01T00:00:00Z"))).toBe("in 29 minutes");
  expect(relative("2026-05-31T22:00:00Z", Date.parse("2026-06-01T00:00:00Z"))).toBe("2 hours ago");
  expect(duration(11.2)).toBe("12 sec");
  expect(duration(61)).toBe("2 min");
  language.value = "zh";
  expect(size(12_345_678)).toBe("12.3 MB");
  expect(day("2026-04-19")).toBe("2026年4月19日");
});

test("a day as the site writes it is written as the reader's language does, any other text stays", () => {
  language.value = "zh";
  expect(siteDay("Nov 24, 2026")).toBe("2026年11月24日");
  expect(siteDay("3 days ago")).toBe("3 days ago");
});
