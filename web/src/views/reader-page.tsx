/** One page of a chapter; it has the aspect ratio of the pages beside it until its own is known. */
import { useEffect, useRef, useState } from "preact/hooks";
import { local } from "../api/addresses";
import type { Page } from "../api/types";
import { t } from "../i18n";
import { measured } from "./reader-settings";

interface Props {
  page: Page;
  count: number;
  /** Aspect ratio to reserve while the picture loads. */
  ratio: number;
  loading: "lazy" | "eager";
  onRatio: (ratio: number) => void;
}

export function ReaderPage({ page, count, ratio, loading, onRatio }: Props) {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<"loading" | "shown" | "failed">("loading");
  const askedAt = useRef(performance.now());
  useEffect(() => {
    askedAt.current = performance.now();
  }, [loading]);
  if (state === "failed") {
    return (
      <div class="reader-page reader-failed" style={{ aspectRatio: String(ratio) }} role="alert">
        <p>{t().reader.failed(page.index)}</p>
        <button
          type="button"
          class="button"
          onClick={() => {
            askedAt.current = performance.now();
            setAttempt(attempt + 1);
            setState("loading");
          }}
        >
          {t().reader.again}
        </button>
      </div>
    );
  }
  return (
    <img
      key={attempt}
      class={`reader-page reader-${state}`}
      src={local(page.url)}
      alt={t().reader.page(page.index, count)}
      style={state === "shown" ? {} : { aspectRatio: String(ratio) }}
      loading={loading}
      decoding="async"
      draggable={false}
      onLoad={(event) => {
        setState("shown");
        // One that is fetched when it comes near has waited for the reader, not for the connection.
        if (loading === "eager") measured(performance.now() - askedAt.current);
        onRatio(event.currentTarget.naturalWidth / event.currentTarget.naturalHeight);
      }}
      onError={() => setState("failed")}
    />
  );
}
