/** Links to the other pages of a list. */
import { t } from "../i18n";
import { Icon } from "./icons";
import { pagerNumbers } from "./pages";

interface Props {
  page: number;
  count: number;
  to: (page: number) => string;
}

export function Pager({ page, count, to }: Props) {
  if (count < 2) return null;
  const words = t().list;
  return (
    <nav class="pager" aria-label={words.pages}>
      {page > 1 && (
        <a class="button" href={to(page - 1)} rel="prev">
          <Icon name="left" /> <span>{words.previous}</span>
        </a>
      )}
      <span class="pager-numbers">
        {pagerNumbers(page, count).map((value, index) =>
          value === null ? (
            <span key={`gap${index}`} class="pager-gap">
              …
            </span>
          ) : (
            <a key={value} class="button" href={to(value)} aria-label={words.page(value)} aria-current={value === page ? "page" : undefined}>
              {value}
            </a>
          ),
        )}
      </span>
      {page < count && (
        <a class="button" href={to(page + 1)} rel="next">
          <span>{words.next}</span> <Icon name="right" />
        </a>
      )}
    </nav>
  );
}
