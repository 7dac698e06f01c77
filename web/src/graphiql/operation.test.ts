import { expect, test } from "vitest";
import { documentOf, operationNameOf } from "./operation";
import { REST_TAB, WATCH_TAB } from "./tabs";

test("a name of the tab before is not sent with this one's document", () => {
  const watch = documentOf(WATCH_TAB);
  expect(watch && operationNameOf(watch, "RankingWithTags")).toBe("WatchDownloads");
});

test("of several operations the chosen one is run", () => {
  const rest = documentOf(REST_TAB);
  expect(rest && operationNameOf(rest, "Info")).toBe("Info");
});

test("what can't be read is left to the server", () => {
  expect(documentOf("query {")).toBeNull();
});
