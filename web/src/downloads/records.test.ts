import { expect, test } from "vitest";
import type { Download, DownloadState } from "../api/types";
import { goneFrom, isActive, merged, pagesByChapter, sorted, without } from "./records";

const download = (id: string, revision: number, state: DownloadState = "RUNNING"): Download => ({
  id, revision, state, albumId: "350234", title: "A walk", archive: "ZIP", image: "ORIGINAL", problem: null, file: null, files: [], isKept: false,
  expiresAt: null, requestedAt: `2026-06-01T00:00:0${id}Z`,
  progress: { pagesDone: 0, pagesTotal: null, bytesDone: 0, percent: 0, etaSeconds: null },
});

test("what is older than what we have is dropped, whichever way it came", () => {
  const known = merged(new Map(), [download("1", 5, "READY")]);
  expect(merged(known, [download("1", 4)]).get("1")?.state).toBe("READY");
  expect(merged(known, [download("1", 6, "EXPIRED")]).get("1")?.state).toBe("EXPIRED");
});

test("removed ones go, the others stay, newest first", () => {
  const known = merged(new Map(), [download("1", 1), download("3", 1), download("2", 1)]);
  expect(sorted(without(known, ["3"])).map(({ id }) => id)).toEqual(["2", "1"]);
  expect(without(known, ["9"])).toBe(known);
});

test("what a list of the newest leaves out is gone, what is older than a list that goes on is not", () => {
  const known = merged(new Map(), [download("1", 1, "READY"), download("3", 1, "READY"), download("4", 1)]);
  expect(goneFrom(known, [download("4", 2), download("2", 1)], true)).toEqual(["3"]);
  expect(goneFrom(known, [download("4", 2), download("2", 1)], false)).toEqual(["1", "3"]);
  expect(goneFrom(known, [], false)).toEqual(["1", "3", "4"]);
});

test("queued, running and packing are under way, nothing else is", () => {
  const states: DownloadState[] = ["QUEUED", "RUNNING", "PACKING", "READY", "FAILED", "CANCELLED", "EXPIRED"];
  expect(states.filter((state) => isActive({ state }))).toEqual(["QUEUED", "RUNNING", "PACKING"]);
});

test("missing pages are gathered by chapter", () => {
  expect(pagesByChapter(["333908/3", "333908/7", "333909/1"])).toEqual([["333908", [3, 7]], ["333909", [1]]]);
});
