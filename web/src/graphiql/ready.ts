/** Makes the page inert until its editors exist: GraphiQL loses a tab that is chosen before. */
import { pick, useGraphiQL } from "@graphiql/react";
import { useEffect } from "react";

/** Makes `container` operable once every editor exists. Renders nothing. */
export function WhenReady({ container }: { container: HTMLElement }): null {
  const editors = useGraphiQL(pick("queryEditor", "variableEditor", "headerEditor", "responseEditor"));
  const ready = Object.values(editors).every(Boolean);
  useEffect(() => {
    container.inert = !ready;
  }, [container, ready]);
  return null;
}
