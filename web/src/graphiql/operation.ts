/** Which operation of a tab is run. */
import { parse, type DocumentNode } from "graphql";

/** The document; null if it can't be parsed: the server's message is better. */
export function documentOf(query: string): DocumentNode | null {
  try {
    return parse(query);
  } catch {
    return null; // a syntax error: the server's answer shows where
  }
}

/** The operation name to send: GraphiQL keeps that of the previous tab for a moment, which this document may not have. */
export function operationNameOf(document: DocumentNode, name: string | null | undefined): string | undefined {
  const names = document.definitions.flatMap((part) => (part.kind === "OperationDefinition" ? [part.name?.value] : []));
  if (name && names.includes(name)) return name;
  return names.length > 1 ? (name ?? undefined) : names[0];
}
