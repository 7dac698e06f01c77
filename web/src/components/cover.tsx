/** A cover that reserves its space: aspect ratio, then ThumbHash, then the picture. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { thumbHashToDataURL } from "thumbhash";
import { local } from "../api/addresses";
import { live } from "../api/client";
import type { Cover as CoverData } from "../api/types";

const USUAL_RATIO = 3 / 4;

export function ratioOf(cover: Pick<CoverData, "width" | "height">): number {
  return cover.width && cover.height ? cover.width / cover.height : USUAL_RATIO;
}

/** PNG of the blurred placeholder as a data: URL; null where there is none or it can't be read. */
export function blurOf(placeholder: string | null): string | null {
  if (!placeholder) return null;
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(placeholder), (sign) => sign.charCodeAt(0)));
  } catch {
    return null; // not base64: the plain background serves as well
  }
}

interface Props {
  cover: CoverData;
  /** Alternative text; "" where the title is beside it. */
  alt: string;
  /** Aspect ratio; by default that of the grid, so that rows stay even. */
  ratio?: number;
  eager?: boolean;
}

export function Cover({ cover, alt, ratio = USUAL_RATIO, eager = false }: Props) {
  const [state, setState] = useState<"loading" | "shown" | "failed">("loading");
  // What failed while the server was unreachable is fetched again once it is back.
  useEffect(() => {
    if (live.value) setState((current) => (current === "failed" ? "loading" : current));
  }, [live.value]);
  const blur = useMemo(() => blurOf(cover.placeholder), [cover.placeholder]);
  const style = { aspectRatio: String(ratio), ...(blur ? { backgroundImage: `url(${blur})` } : {}) };
  return (
    <div class={`cover cover-${state}`} style={style}>
      {state !== "failed" && (
        <img
          src={local(cover.url)}
          alt={alt}
          width={cover.width ?? 300}
          height={cover.height ?? 400}
          loading={eager ? "eager" : "lazy"}
          decoding="async"
          onLoad={() => setState("shown")}
          onError={() => setState("failed")}
        />
      )}
    </div>
  );
}
