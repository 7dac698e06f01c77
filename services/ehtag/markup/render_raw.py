"""Nodes to canonical markdown: what the table is written with."""

from __future__ import annotations

import re
from itertools import zip_longest

from services.ehtag.markup.javascript import trim
from services.ehtag.markup.nodes import Node
from services.ehtag.namespaces import SHORT_PREFIXES
from services.ehtag.records import Namespace

_ESCAPED = re.compile(r"[_*`]")
_FENCES = re.compile("`+")
_HIDDEN = {"R18": "#", "R18G": "##"}


def render_raw(paragraphs: list[Node]) -> str:
    """The canonical markdown of a cell; paragraphs are parted by a blank line."""
    return trim("\n\n".join(_inline(paragraph["content"]) for paragraph in paragraphs))


def _inline(content: list[Node]) -> str:
    return "".join(_node(node, after) for node, after in zip_longest(content, content[1:]))


def _node(node: Node, after: Node | None) -> str:
    match node["type"]:
        case "text":
            return _text(node["text"], before_link=after is not None and after["type"] == "link")
        case "br":
            return "\n"
        case "tagref":
            return _reference(node)
        case "emphasis":
            return f"*{_inline(node['content'])}*"
        case "strong":
            return f"**{_inline(node['content'])}**"
        case "link":
            return f"[{_inline(node['content'])}]({_address(node)})"
        case _:
            return f"![{_inline(node['content'])}]({_address(node)})"


def _text(text: str, *, before_link: bool) -> str:
    escaped = _ESCAPED.sub(r"\\\g<0>", text)
    # a link behind an exclamation mark would be read as an image
    return f"{escaped[:-1]}\\!" if before_link and escaped.endswith("!") else escaped


def _reference(node: Node) -> str:
    if node["tag"]:
        prefix = SHORT_PREFIXES[Namespace(node["ns"])] if node.get("explicitNs") else ""
        return f"`{prefix}{node['tag']}`"
    text = node["text"]
    fence = "`" * (1 + max(map(len, _FENCES.findall(text)), default=0))
    before = " " if text.startswith("`") else ""
    after = " " if text.endswith("`") else ""
    return f"{fence}{before}{text}{after}{fence}"


def _address(node: Node) -> str:
    url, title = node["url"], node["title"]
    if node.get("nsfw"):
        return f'{_HIDDEN[node["nsfw"]]} "{url}"'
    return f'{url} "{title}"' if title else str(url)
