/**
 * A tag as a chip. Mouse: hovering shows its card, a click searches for it. Keyboard: focus shows the card after a
 * moment, Tab moves into it, Esc closes it. Touch: a tap shows the card, which has a search link.
 */
import { signal } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import type { AlbumTag, SearchField, TagKind } from "../api/types";
import { isChinese, language, t } from "../i18n";
import { href } from "../router";
import { TagCard } from "./tag-card";
import { namespaceName, tagName } from "./tag-names";

const OPEN_AFTER_MS = 220;
const FOCUS_OPEN_AFTER_MS = 400;
/** Long enough to move the pointer from the chip over to the card. */
const CLOSE_AFTER_MS = 500;

/** Only one card is open at a time. */
const openCard = signal("");

const FIELDS: Record<TagKind, SearchField> = { GENRE: "TAG", WORK: "WORK", CHARACTER: "CHARACTER", AUTHOR: "AUTHOR" };

export function searchOf(tag: Pick<AlbumTag, "name" | "kind">): string {
  return href(["search"], { q: tag.name, field: FIELDS[tag.kind].toLowerCase() });
}

export function TagChip({ tag }: { tag: AlbumTag }) {
  const id = useId();
  const item = useRef<HTMLLIElement>(null);
  const chip = useRef<HTMLAnchorElement>(null);
  const timer = useRef(0);
  const wasTouched = useRef(false);
  const isOpen = openCard.value === id;
  const link = searchOf(tag);

  const later = (open: boolean, delay: number): void => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setOpen(open), delay);
  };
  const setOpen = (open: boolean): void => {
    clearTimeout(timer.current);
    if (open) openCard.value = id;
    else if (openCard.value === id) openCard.value = "";
  };
  useEffect(() => () => setOpen(false), []);
  useEffect(() => {
    if (!isOpen) return;
    const onOutside = (event: Event): void => {
      if (!item.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      if (item.current?.contains(document.activeElement)) chip.current?.focus();
      setOpen(false);
    };
    document.addEventListener("pointerdown", onOutside);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", onOutside);
      document.removeEventListener("keydown", onKey);
    };
  }, [isOpen]);

  return (
    <li
      ref={item}
      class="chip-item"
      onPointerEnter={(event) => event.pointerType === "mouse" && later(true, OPEN_AFTER_MS)}
      onPointerLeave={(event) => event.pointerType === "mouse" && later(false, CLOSE_AFTER_MS)}
      onFocusOut={(event) => {
        if (!item.current?.contains(event.relatedTarget as Node | null)) later(false, 0);
      }}
    >
      <a
        ref={chip}
        class={tag.translation ? "chip" : "chip chip-unknown"}
        href={link}
        aria-expanded={isOpen}
        aria-controls={isOpen ? `${id}card` : undefined}
        onPointerDown={(event) => (wasTouched.current = event.pointerType !== "mouse")}
        onFocus={(event) => !wasTouched.current && event.currentTarget.matches(":focus-visible") && later(true, FOCUS_OPEN_AFTER_MS)}
        onClick={(event) => {
          if (!wasTouched.current || isOpen) return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {tag.translation && <span class={`dot ns-${tag.translation.namespace}`} />}
        <span lang={tag.translation && !isChinese() ? "en" : "zh"}>{tagName(tag, language.value)}</span>
        {tag.translation ? (
          <span class="chip-kind">{namespaceName(tag.translation.namespace)}</span>
        ) : (
          <span class="hidden">{t().tag.untranslated}</span>
        )}
      </a>
      {isOpen && <Floating id={`${id}card`} tag={tag} searchHref={link} />}
    </li>
  );
}

/** Between the card and the edges of the window, and of the bar, in CSS pixels. */
const MARGIN_PX = 12;

/**
 * The card level with its chip, in the column of the cover: there it covers nothing that can be clicked. On a phone
 * it is a sheet at the bottom instead, by the style.
 */
function Floating({ id, tag, searchHref }: { id: string; tag: AlbumTag; searchHref: string }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const card = box.current;
    if (!card) return;
    const place = (): void => placeInColumn(card);
    place();
    const resized = new ResizeObserver(place);
    resized.observe(card);
    return () => resized.disconnect();
  }, []);
  return (
    <div id={id} ref={box} class="tag-card" role="group" aria-label={t().tag.about(tagName(tag, language.value))}>
      <TagCard tag={tag} searchHref={searchHref} />
    </div>
  );
}

function placeInColumn(card: HTMLElement): void {
  const chip = card.parentElement?.getBoundingClientRect();
  const album = card.closest(".album-main")?.getBoundingClientRect();
  const bar = document.querySelector(".bar")?.getBoundingClientRect();
  if (!chip || !album || !bar) return;
  const lowest = Math.min(innerHeight, album.bottom) - MARGIN_PX - card.offsetHeight;
  const top = Math.max(bar.bottom + MARGIN_PX, Math.min(chip.top, lowest));
  card.style.setProperty("--x", `${album.left - chip.left}px`);
  card.style.setProperty("--y", `${top - chip.top}px`);
}

export function TagRow({ label, tags }: { label: string; tags: readonly AlbumTag[] }) {
  if (tags.length === 0) return null;
  return (
    <div class="tag-row">
      <h2 class="tag-row-label">{label}</h2>
      <ul class="chips" role="list">
        {tags.map((tag) => (
          <TagChip key={`${tag.kind}${tag.name}`} tag={tag} />
        ))}
      </ul>
    </div>
  );
}
