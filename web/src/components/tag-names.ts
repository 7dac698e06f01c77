/** Names of tags in the reader's language. */
import type { AlbumTag, MatchedText, Tag } from "../api/types";
import { isChinese, t, type Language } from "../i18n";

/** The record's name: its translation for Chinese readers, the original English tag for others. */
export function recordName(tag: Pick<Tag, "raw" | "name">, language: Language): string {
  return isChinese(language) ? tag.name || tag.raw : tag.raw;
}

export function tagName(tag: AlbumTag, language: Language): string {
  return tag.translation ? recordName(tag.translation, language) : tag.name;
}

export function namespaceName(namespace: string): string {
  return t().tag.namespaces[namespace] ?? namespace;
}

/** Path of a record's page: "other:full color" is `["tags", "OTHER", "full color"]`. */
export function tagPath(tag: Pick<Tag, "namespace" | "raw">): string[] {
  return ["tags", tag.namespace.toLowerCase(), tag.raw];
}

/** The text before what matched, the match, and the text after it. */
export function matchedParts({ text, start, length }: Pick<MatchedText, "text" | "start" | "length">): [string, string, string] {
  const characters = [...text];
  const part = (from: number, to?: number): string => characters.slice(from, to).join("");
  return [part(0, start), part(start, start + length), part(start + length)];
}
