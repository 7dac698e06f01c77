/** Credit for the tag texts: their licence requires it wherever they are shown. */
import { EHTAG } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { EhTag } from "../api/types";
import { t } from "../i18n";

const DATABASE = "https://github.com/EhTagTranslation/Database";
const LICENCE = "https://creativecommons.org/licenses/by-nc-sa/3.0/";

export function Credit() {
  const { data } = useQuery<{ ehtag: EhTag }>(EHTAG, {});
  if (!data) return null;
  if (data.ehtag.isStarter) return <p class="credit">{t().tag.creditStarter}</p>;
  return (
    <p class="credit">
      <a href={DATABASE} rel="noopener noreferrer" target="_blank">
        {t().tag.creditReal}
      </a>{" "}
      <a href={LICENCE} rel="noopener noreferrer license" target="_blank">
        CC BY-NC-SA 3.0
      </a>
    </p>
  );
}
