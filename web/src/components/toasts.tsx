/** Short messages in a corner, also for screen readers; they close by themselves, but not while hovered. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { local } from "../api/addresses";
import type { Problem } from "../api/problems";
import type { Download } from "../api/types";
import { t } from "../i18n";
import { Icon } from "./icons";
import { problemTexts } from "./message";

const SHOWN_MS = 8000;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly file: Download["file"];
}

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

export function announce(text: string, file: Download["file"]): void {
  lastId += 1;
  toasts.value = [...toasts.value.slice(-2), { id: lastId, text, file }];
}

/** Say why something was not done. */
export function announceProblem(problem: Problem): void {
  const [title, hint] = problemTexts(problem);
  announce(`${title}. ${hint}`, null);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <ToastLine key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastLine({ toast }: { toast: Toast }) {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => dismiss(toast.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isHeld]);
  return (
    <div
      class="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <span>{toast.text}</span>
      {toast.file && (
        <a class="button button-small button-primary" href={local(toast.file.url)} download={toast.file.name}>
          {t().download.save}
        </a>
      )}
      <button type="button" class="button button-icon" aria-label={t().app.close} onClick={() => dismiss(toast.id)}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}
