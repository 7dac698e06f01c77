/** Texts of the page in the reader's language. */
import { computed, effect } from "@preact/signals";
import { storedSignal } from "../stored";
import { en } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";
export type Words = typeof en;

export function preferredLanguage(languages: readonly string[]): Language {
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return "zh";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

const browser = typeof navigator === "undefined" ? [] : navigator.languages;

export const language = storedSignal<Language>("language", preferredLanguage(browser));

const words = computed<Words>(() => (language.value === "zh" ? zh : en));

/** A component that reads it is rendered again when the language changes. */
export const t = (): Words => words.value;

export const locale = (): string => (language.value === "zh" ? "zh-Hans" : "en");

export function syncDocumentLanguage(): void {
  effect(() => {
    document.documentElement.lang = locale();
  });
}
