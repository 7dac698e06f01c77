/** A modal panel at the side (at the bottom on a phone); Esc, a click outside and navigation close it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./icons";

interface Props {
  title: string;
  id: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Panel({ title, id, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    const opener = document.activeElement;
    let isLeft = false;
    const leave = (): void => {
      isLeft = true;
      onClose();
    };
    addEventListener("hashchange", leave);
    shown?.showModal();
    return () => {
      removeEventListener("hashchange", leave);
      shown?.close();
      const next = isLeft ? document.getElementById("content") : opener;
      if (next instanceof HTMLElement) next.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-labelledby={`${id}-title`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="panel-box">
        <header class="panel-head">
          <h2 id={`${id}-title`}>{title}</h2>
          <button type="button" class="button button-icon" aria-label={t().app.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div class="panel-body" tabIndex={0}>{children}</div>
      </div>
    </dialog>
  );
}
