/** The search box: suggestions while one types, and chips of what must and must not be found. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ALBUM_TITLE, SUGGESTED_TAGS } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Tag } from "../api/types";
import { isChinese, language, t } from "../i18n";
import { shortTitle } from "../i18n/titles";
import { go } from "../router";
import { storedSignal } from "../stored";
import { joined, numberOf, termsOf, withEarlier, type Term } from "../views/search-text";
import { Icon } from "./icons";
import { namespaceName, recordName } from "./tag-names";

/** After the last key, before the server is asked. */
const PAUSE_MS = 150;
const MAX_TAGS = 8;
const MAX_EARLIER_SHOWN = 6;
const SHORTEST_NUMBER = 3;

const earlier = storedSignal<readonly string[]>("searches", []);

type SuggestedTag = Tag & { searchText: string };
type Suggestion =
  | { readonly kind: "album"; readonly id: string; readonly title: string }
  | { readonly kind: "tag"; readonly tag: SuggestedTag }
  | { readonly kind: "earlier"; readonly query: string };

interface Props {
  query: string;
  onSearch: (query: string) => void;
}

export function SearchBox({ query, onSearch }: Props) {
  const words = t().find;
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  const given = termsOf(query);
  const [text, setText] = useState(given.text);
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const suggestions = useSuggestions(isOpen ? text : null);
  const shown = isOpen ? suggestions : [];
  const selected = shown[at];
  useEffect(() => setText(given.text), [query]);
  useEffect(() => setAt(-1), [text]);

  const search = (next: string): void => {
    setOpen(false);
    earlier.value = withEarlier(earlier.value, next);
    onSearch(next);
  };
  const choose = (suggestion: Suggestion, isExcluded: boolean): void => {
    if (suggestion.kind === "album") {
      setOpen(false);
      return go(["album", suggestion.id]);
    }
    if (suggestion.kind === "earlier") return search(suggestion.query);
    // What was typed led to the tag: it is not searched for as well.
    const terms = suggestion.tag.searchText.split(/\s+/).map((name) => ({ name, isExcluded }));
    setText("");
    search(joined("", [...given.terms, ...terms]));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      setOpen(false);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) {
        setOpen(true);
        return setAt(0);
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((before) => (before + step + 1 + shown.length + 1) % (shown.length + 1) - 1);
    } else if (event.key === "Enter" && selected) {
      event.preventDefault();
      choose(selected, event.shiftKey);
    } else if (event.key === "Backspace" && text === "" && given.terms.length > 0) {
      onSearch(joined("", given.terms.slice(0, -1)));
    }
  };
  return (
    <div class="search-area">
      <form
        class="search-box"
        role="search"
        onFocusOut={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOpen(false)}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = termsOf(input.current?.value ?? "");
          search(joined(typed.text, [...given.terms, ...typed.terms]));
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          name="q"
          value={text}
          aria-label={t().search.label}
          aria-autocomplete="list"
          aria-controls={shown.length > 0 ? list : undefined}
          aria-activedescendant={selected ? `${list}-${at}` : undefined}
          placeholder={t().search.label}
          autocomplete="off"
          enterkeyhint="search"
          onInput={(event) => {
            setText(event.currentTarget.value);
            setOpen(true);
          }}
          onClick={() => {
            setAt(-1);
            setOpen(true);
          }}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="button button-primary">{t().search.button}</button>
        {shown.length > 0 && <Suggestions id={list} suggestions={shown} at={at} onChoose={choose} />}
        <span class="hidden" role="status">{shown.length > 0 ? words.found(shown.length) : ""}</span>
      </form>
      {given.terms.length > 0 && <Terms terms={given.terms} onChange={(terms) => onSearch(joined(given.text, terms))} />}
    </div>
  );
}

interface SuggestionsProps {
  id: string;
  suggestions: readonly Suggestion[];
  at: number;
  onChoose: (suggestion: Suggestion, isExcluded: boolean) => void;
}

function Suggestions({ id, suggestions, at, onChoose }: SuggestionsProps) {
  const words = t().find;
  // The focus stays in the box, by mouse and by touch.
  const keepFocus = (event: Event): void => event.preventDefault();
  return (
    <div class="suggestions" onPointerDown={keepFocus} onMouseDown={keepFocus}>
      <ul id={id} role="listbox" aria-label={words.suggestions}>
        {suggestions.map((suggestion, index) => (
          <li
            key={keyOf(suggestion)}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            class="suggestion"
            onClick={(event) => onChoose(suggestion, event.shiftKey)}
          >
            <SuggestionText suggestion={suggestion} />
            {suggestion.kind === "tag" && (
              <span
                class="suggestion-exclude"
                title={words.exclude(recordName(suggestion.tag, language.value))}
                onClick={(event) => {
                  event.stopPropagation();
                  onChoose(suggestion, true);
                }}
              >
                −
              </span>
            )}
          </li>
        ))}
      </ul>
      <p class="suggestions-foot quiet">
        {suggestions.some(({ kind }) => kind === "tag") && <span>{words.keys}</span>}
        {suggestions.some(({ kind }) => kind === "earlier") && (
          <button type="button" class="button button-small" onClick={() => (earlier.value = [])}>{words.forget}</button>
        )}
      </p>
    </div>
  );
}

function SuggestionText({ suggestion }: { suggestion: Suggestion }) {
  const words = t().find;
  if (suggestion.kind === "album") {
    return (
      <>
        <Icon name="book" size={16} />
        <span class="suggestion-name">{words.open(suggestion.id)}</span>
        <span class="suggestion-more">{shortTitle(suggestion.title)}</span>
      </>
    );
  }
  if (suggestion.kind === "earlier") {
    return (
      <>
        <Icon name="clock" size={16} />
        <span class="suggestion-name">{suggestion.query}</span>
        <span class="suggestion-more">{words.again}</span>
      </>
    );
  }
  const { tag } = suggestion;
  return (
    <>
      <span class={`dot ns-${tag.namespace}`} />
      <span class="suggestion-name">{recordName(tag, language.value)}</span>
      <span class="suggestion-more">{isChinese() ? tag.raw : tag.name} · {namespaceName(tag.namespace)}</span>
    </>
  );
}

/** What must and must not be found: each can be turned round and removed. */
function Terms({ terms, onChange }: { terms: readonly Term[]; onChange: (terms: Term[]) => void }) {
  const words = t().find;
  return (
    <ul class="terms" role="list" aria-label={words.terms}>
      {terms.map((term, index) => (
        <li key={term.name} class={term.isExcluded ? "term term-excluded" : "term"}>
          <button
            type="button"
            class="term-turn"
            aria-label={words.turn(term.name, term.isExcluded)}
            onClick={() => onChange(terms.map((other, place) => (place === index ? { ...other, isExcluded: !other.isExcluded } : other)))}
          >
            <span aria-hidden="true">{term.isExcluded ? "−" : "+"}</span> {term.name}
          </button>
          <button type="button" class="term-drop" aria-label={words.drop(term.name)} onClick={() => onChange(terms.filter((_, place) => place !== index))}>
            <Icon name="close" size={14} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function keyOf(suggestion: Suggestion): string {
  if (suggestion.kind === "tag") return suggestion.tag.id;
  return suggestion.kind === "album" ? `JM${suggestion.id}` : `"${suggestion.query}"`;
}

/** For what was typed: its album, earlier searches, tags; null asks for nothing. */
function useSuggestions(text: string | null): Suggestion[] {
  const typed = text?.trim() ?? "";
  const paused = usePaused(typed);
  const id = numberOf(paused);
  const asked = id === null || id.length >= SHORTEST_NUMBER ? paused : "";
  const album = useQuery<{ album: { id: string; title: string } | null }>(ALBUM_TITLE, id !== null && asked ? { id } : null);
  const tags = useQuery<{ tags: { edges: { node: SuggestedTag }[] } }>(SUGGESTED_TAGS, asked && id === null ? { query: wordOf(paused), first: MAX_TAGS } : null);
  const found = album.data?.album;
  if (text === null) return [];
  return [
    ...(found ? [{ kind: "album", id: found.id, title: found.title } as const] : []),
    ...earlier.value
      .filter((query) => query !== typed && query.includes(typed))
      .slice(0, MAX_EARLIER_SHOWN)
      .map((query) => ({ kind: "earlier", query }) as const),
    ...(tags.data?.tags.edges.map(({ node }) => ({ kind: "tag", tag: node }) as const) ?? []),
  ];
}

/** Without the sign that it is typed with. */
const wordOf = (typed: string): string => typed.replace(/^[+-]/, "");

function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return text === "" ? "" : paused;
}

/** `/` leads to the search box, of this view or of the search. */
export function followSearchKey(): void {
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    const box = searchInput();
    if (box) return box.select();
    go(["search"]);
    const untilThere = (): void => {
      const opened = searchInput();
      if (opened) opened.focus();
      else requestAnimationFrame(untilThere);
    };
    addEventListener("hashchange", () => requestAnimationFrame(untilThere), { once: true });
  });
}

function searchInput(): HTMLInputElement | null {
  return document.querySelector<HTMLInputElement>("#content input[type=search]");
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}
