import { beforeEach, expect, test } from "vitest";
import { readingPosition, saveReadingPosition } from "./reading-positions";

const stored = new Map<string, string>();

beforeEach(() => {
  stored.clear();
  Object.assign(globalThis, {
    localStorage: { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, text: string) => stored.set(key, text) },
  });
});

test("of more than 300 albums the one read longest ago is forgotten, whatever its number", () => {
  saveReadingPosition("1208626", { chapter: "1208626", page: 2 });
  for (let id = 300; id > 0; id -= 1) saveReadingPosition(String(id), { chapter: String(id), page: 3 });

  expect(readingPosition("1208626")).toBeNull();
  expect(readingPosition("300")).toEqual({ chapter: "300", page: 3 });
  expect(readingPosition("1")).toEqual({ chapter: "1", page: 3 });
});

test("an album that is read again is kept longer, with its newest position", () => {
  for (let id = 1; id <= 300; id += 1) saveReadingPosition(String(id), { chapter: String(id), page: 1 });
  saveReadingPosition("1", { chapter: "1", page: 9 });
  saveReadingPosition("301", { chapter: "301", page: 1 });

  expect(readingPosition("1")?.page).toBe(9);
  expect(readingPosition("2")).toBeNull();
});

test("positions of an earlier version are read", () => {
  stored.set("jmgraph.places", '{"350234":{"chapter":"350234","page":7}}');
  expect(readingPosition("350234")).toEqual({ chapter: "350234", page: 7 });
});
