"""Nodes to HTML."""

from __future__ import annotations

from services.ehtag.markup.javascript import trim
from services.ehtag.markup.nodes import Node
from services.ehtag.markup.render_text import render_inline_text, shown_tag

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;"})
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", '"': "&quot;", "\u00a0": "&nbsp;"})


def render_html(paragraphs: list[Node]) -> str:
    """The HTML of a cell. Only what is written here is markup: the source's own is text."""
    return "".join(f"<p>{_inline(paragraph['content'])}</p>" for paragraph in paragraphs)


def escape_text(text: str) -> str:
    """Text as HTML serialises it."""
    return text.translate(_IN_TEXT)


def _inline(content: list[Node]) -> str:
    return "".join(map(_node, content))


def _node(node: Node) -> str:
    match node["type"]:
        case "text":
            return escape_text(node["text"])
        case "br":
            return "<br>"
        case "emphasis":
            return f"<em>{_inline(node['content'])}</em>"
        case "strong":
            return f"<strong>{_inline(node['content'])}</strong>"
        case "link":
            return f"<a{_attribute('href', node['url'])}{_title(node)}>{_inline(node['content'])}</a>"
        case "image":
            return _image(node)
        case _:
            return _reference(node)


def _image(node: Node) -> str:
    alt = _attribute("alt", trim(render_inline_text(node["content"]))) if node["content"] else ""
    nsfw = _attribute("nsfw", node["nsfw"]) if node["nsfw"] else ""
    return f"<img{_attribute('src', node['url'])}{_title(node)}{alt}{nsfw}>"


def _reference(node: Node) -> str:
    attributes = _attribute("title", shown_tag(node)) + _attribute("ns", node["ns"]) if node["tag"] else ""
    return f"<abbr{attributes}>{escape_text(node['text'])}</abbr>"


def _title(node: Node) -> str:
    return _attribute("title", node["title"]) if node["title"] else ""


def _attribute(name: str, value: str) -> str:
    return f' {name}="{value.translate(_IN_ATTRIBUTE)}"'
