"""Nodes to plain text."""

from __future__ import annotations

from services.ehtag.markup.javascript import trim
from services.ehtag.markup.nodes import Node
from services.ehtag.namespaces import SHOWN_PREFIXES
from services.ehtag.records import Namespace


def render_text(paragraphs: list[Node]) -> str:
    """The plain text of a cell; paragraphs are parted by a blank line."""
    return trim("\n\n".join(trim(render_inline_text(paragraph["content"])) for paragraph in paragraphs))


def render_inline_text(content: list[Node]) -> str:
    """The plain text of some nodes; images have none."""
    return "".join(map(_node, content))


def shown_tag(node: Node) -> str:
    """The tag of a reference as readers see it: "glasses", or "f:glasses" where the namespace was spelled out."""
    prefix = SHOWN_PREFIXES.get(Namespace(node["ns"]), "") if node.get("explicitNs") else ""
    return f"{prefix}{node['tag']}"


def _node(node: Node) -> str:
    match node["type"]:
        case "text":
            return str(node["text"])
        case "br":
            return "\n"
        case "image":
            return ""
        case "tagref":
            return f"{node['text']}({shown_tag(node)})" if node["tag"] else str(node["text"])
        case _:
            return render_inline_text(node["content"])
