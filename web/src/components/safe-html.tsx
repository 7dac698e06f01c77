/** HTML of a record, sanitised; its pictures, which are on other sites, are loaded only on request. */
import DOMPurify from "dompurify";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";

const ALLOWED = {
  ALLOWED_TAGS: ["p", "br", "a", "em", "strong", "abbr", "img"],
  ALLOWED_ATTR: ["href", "title", "src", "alt"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  RETURN_DOM_FRAGMENT: true as const,
};

/** The sanitised nodes, and their number of pictures; without `images` each is a word in brackets. */
export function sanitised(html: string, images: boolean, word: string): { nodes: DocumentFragment; pictures: number } {
  const nodes = DOMPurify.sanitize(html, ALLOWED);
  for (const link of nodes.querySelectorAll("a")) {
    link.rel = "noopener noreferrer";
    link.target = "_blank";
  }
  const pictures = nodes.querySelectorAll("img");
  for (const picture of pictures) {
    if (images) {
      picture.referrerPolicy = "no-referrer";
      picture.loading = "lazy";
      picture.alt ||= word;
      continue;
    }
    const placeholder = document.createElement("span");
    placeholder.className = "picture-off";
    placeholder.textContent = `[${picture.alt || word}]`;
    picture.replaceWith(placeholder);
  }
  return { nodes, pictures: pictures.length };
}

export function SafeHtml({ html }: { html: string }) {
  const container = useRef<HTMLDivElement>(null);
  const [images, setImages] = useState(false);
  const [pictures, setPictures] = useState(0);
  const word = t().tag.picture;
  useLayoutEffect(() => {
    const made = sanitised(html, images, word);
    container.current?.replaceChildren(made.nodes);
    setPictures(made.pictures);
  }, [html, images, word]);
  return (
    <>
      <div class="prose" ref={container} lang="zh-Hans" />
      {pictures > 0 && !images && (
        <button type="button" class="button button-small" onClick={() => setImages(true)}>
          {t().tag.showImages(pictures)}
        </button>
      )}
    </>
  );
}
