import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildSchema, parse, validate } from "graphql";
import { expect, test } from "vitest";
import { REST_TAB, TABS } from "../graphiql/tabs";
import { local } from "./addresses";
import * as documents from "./documents";
import { problemOf } from "./problems";

const ROOT = resolve(import.meta.dirname, "../../..");

/** The committed SDL, or what the server prints. */
function sdl(): string {
  const file = resolve(ROOT, "schema.graphql");
  if (existsSync(file)) return readFileSync(file, "utf-8");
  return execFileSync(resolve(ROOT, ".venv/bin/python"), ["-m", "cli", "schema"], { cwd: ROOT, encoding: "utf-8" });
}

const schema = buildSchema(sdl());

test.each(Object.entries(documents))("the document %s fits the schema", (_, text) => {
  expect(validate(schema, parse(text))).toEqual([]);
});

test("every tab of GraphiQL fits the schema", () => {
  const texts = TABS.map(({ query }) => query ?? "");
  expect(texts).toContain(REST_TAB);
  for (const text of texts) expect(validate(schema, parse(text))).toEqual([]);
});

test("files of this server are asked for where the page came from", () => {
  const base = new URL("https://comics.example/jm/");
  expect(local("http://10.0.0.2:11111/images/covers/350234?size=thumbnail", base)).toBe(
    "https://comics.example/jm/images/covers/350234?size=thumbnail",
  );
  expect(local("http://10.0.0.2/jm/downloads/abc/A%20walk.cbz", base)).toBe("https://comics.example/jm/downloads/abc/A%20walk.cbz");
  expect(local("https://elsewhere.example/picture.png", base)).toBe("https://elsewhere.example/picture.png");
});

test("an error's code and reason are kept, no answer at all is OFFLINE", () => {
  const refused = { message: "no", extensions: { code: "UPSTREAM_UNAVAILABLE", reason: "CHALLENGED", retryable: true } };
  expect(problemOf({ graphQLErrors: [refused as never] })).toEqual({
    code: "UPSTREAM_UNAVAILABLE", reason: "CHALLENGED", message: "no", retryable: true, retryAfter: null,
  });
  expect(problemOf({ graphQLErrors: [], networkError: new Error("refused") }).code).toBe("OFFLINE");
});
