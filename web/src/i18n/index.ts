/** Texts of the page in the reader's language. */
import { computed, effect } from "@preact/signals";
import { storedSignal } from "../stored";
import { en } from "./en";
import { zh } from "./zh";
import { zhHant } from "./zh-hant";

/** "zh" is Simplified Chinese, "zh-Hant" Traditional. */
export type Language = "en" | "zh" | "zh-Hant";
export type Words = typeof en;

export function preferredLanguage(languages: readonly string[]): Language {
  for (const language of languages) {
    if (/^zh-(?:hant|tw|hk|mo)\b/i.test(language)) return "zh-Hant";
    if (/^zh\b/i.test(language)) return "zh";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

const browser = typeof navigator === "undefined" ? [] : navigator.languages;

export const language = storedSignal<Language>("language", preferredLanguage(browser));

const WORDS: Readonly<Record<Language, Words>> = { en, zh, "zh-Hant": zhHant };
const words = computed<Words>(() => WORDS[language.value] ?? en);

/** What each language calls itself. */
export const LANGUAGES: Readonly<Record<Language, string>> = { zh: "简体中文", "zh-Hant": "繁體中文", en: "English" };

/** Whether the reader takes the Chinese names of tags. */
export const isChinese = (of: Language = language.value): boolean => of !== "en";

/** The Chinese that was chosen last: what the button beside English leads back to. */
const chinese = storedSignal<Exclude<Language, "en">>("chinese", preferredLanguage(browser) === "zh-Hant" ? "zh-Hant" : "zh");
effect(() => {
  if (language.value !== "en") chinese.value = language.value;
});

/** What one press of the language button gives: English, or from there the reader's Chinese. */
export const otherLanguage = (): Language => (isChinese() ? "en" : chinese.value);

/** A component that reads it is rendered again when the language changes. */
export const t = (): Words => words.value;

export const locale = (): string => (language.value === "zh" ? "zh-Hans" : language.value);

export function syncDocumentLanguage(): void {
  effect(() => {
    document.documentElement.lang = locale();
  });
}
