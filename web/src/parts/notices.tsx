/** Short notices in a corner, also read aloud; they go by themselves, and wait while looked at. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { local } from "../api/addresses";
import type { Download } from "../api/types";
import { t } from "../i18n";
import { Icon } from "./icons";

const SHOWN_MS = 8000;

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly file: Download["file"];
}

const notices = signal<readonly Notice[]>([]);
let lastId = 0;

export function announce(text: string, file: Download["file"]): void {
  lastId += 1;
  notices.value = [...notices.value.slice(-2), { id: lastId, text, file }];
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <NoticeLine key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function NoticeLine({ notice }: { notice: Notice }) {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => dismiss(notice.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isHeld]);
  return (
    <div
      class="notice"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <span>{notice.text}</span>
      {notice.file && (
        <a class="button button-small button-primary" href={local(notice.file.url)} download={notice.file.name}>
          {t().download.save}
        </a>
      )}
      <button type="button" class="button button-icon" aria-label={t().app.close} onClick={() => dismiss(notice.id)}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}
