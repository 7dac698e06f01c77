"""Renders nodes of a cell: HTML, plain text, and canonical markdown, which the table is written with."""

from __future__ import annotations

import re
from itertools import zip_longest

from services.ehtag.markup.nodes import Node
from services.ehtag.markup.syntax import SPACES
from services.ehtag.records import SHORT_PREFIXES, SHOWN_PREFIXES, Namespace

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;"})
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", '"': "&quot;", "\u00a0": "&nbsp;"})
_ESCAPED = re.compile(r"[_*`]")
_FENCES = re.compile("`+")
_HIDDEN = {"R18": "#", "R18G": "##"}


def render_html(paragraphs: list[Node]) -> str:
    """The HTML of a cell. Only what is written here is markup: the source's own is text."""
    return "".join(f"<p>{_html_inline(paragraph['content'])}</p>" for paragraph in paragraphs)


def escape_text(text: str) -> str:
    """Text as HTML serialises it."""
    return text.translate(_IN_TEXT)


def _html_inline(content: list[Node]) -> str:
    return "".join(map(_html_node, content))


def _html_node(node: Node) -> str:
    match node["type"]:
        case "text":
            return escape_text(node["text"])
        case "br":
            return "<br>"
        case "emphasis":
            return f"<em>{_html_inline(node['content'])}</em>"
        case "strong":
            return f"<strong>{_html_inline(node['content'])}</strong>"
        case "link":
            return f"<a{_html_attribute('href', node['url'])}{_html_title(node)}>{_html_inline(node['content'])}</a>"
        case "image":
            return _html_image(node)
        case _:
            return _html_reference(node)


def _html_image(node: Node) -> str:
    alt = _html_attribute("alt", render_inline_text(node["content"]).strip(SPACES)) if node["content"] else ""
    nsfw = _html_attribute("nsfw", node["nsfw"]) if node["nsfw"] else ""
    return f"<img{_html_attribute('src', node['url'])}{_html_title(node)}{alt}{nsfw}>"


def _html_reference(node: Node) -> str:
    attributes = _html_attribute("title", shown_tag(node)) + _html_attribute("ns", node["ns"]) if node["tag"] else ""
    return f"<abbr{attributes}>{escape_text(node['text'])}</abbr>"


def _html_title(node: Node) -> str:
    return _html_attribute("title", node["title"]) if node["title"] else ""


def _html_attribute(name: str, value: str) -> str:
    return f' {name}="{value.translate(_IN_ATTRIBUTE)}"'


def render_raw(paragraphs: list[Node]) -> str:
    """The canonical markdown of a cell; paragraphs are separated by a blank line."""
    return "\n\n".join(_raw_inline(paragraph["content"]) for paragraph in paragraphs).strip(SPACES)


def _raw_inline(content: list[Node]) -> str:
    return "".join(_raw_node(node, after) for node, after in zip_longest(content, content[1:]))


def _raw_node(node: Node, after: Node | None) -> str:
    match node["type"]:
        case "text":
            return _raw_text(node["text"], before_link=after is not None and after["type"] == "link")
        case "br":
            return "\n"
        case "tagref":
            return _raw_reference(node)
        case "emphasis":
            return f"*{_raw_inline(node['content'])}*"
        case "strong":
            return f"**{_raw_inline(node['content'])}**"
        case "link":
            return f"[{_raw_inline(node['content'])}]({_raw_address(node)})"
        case _:
            return f"![{_raw_inline(node['content'])}]({_raw_address(node)})"


def _raw_text(text: str, *, before_link: bool) -> str:
    escaped = _ESCAPED.sub(r"\\\g<0>", text)
    # a link after an exclamation mark would be read as an image
    return f"{escaped[:-1]}\\!" if before_link and escaped.endswith("!") else escaped


def _raw_reference(node: Node) -> str:
    if node["tag"]:
        prefix = SHORT_PREFIXES[Namespace(node["ns"])] if node.get("explicitNs") else ""
        return f"`{prefix}{node['tag']}`"
    text = node["text"]
    fence = "`" * (1 + max(map(len, _FENCES.findall(text)), default=0))
    before = " " if text.startswith("`") else ""
    after = " " if text.endswith("`") else ""
    return f"{fence}{before}{text}{after}{fence}"


def _raw_address(node: Node) -> str:
    url, title = node["url"], node["title"]
    if node.get("nsfw"):
        return f'{_HIDDEN[node["nsfw"]]} "{url}"'
    return f'{url} "{title}"' if title else str(url)


def render_text(paragraphs: list[Node]) -> str:
    """The plain text of a cell; paragraphs are separated by a blank line."""
    return "\n\n".join(render_inline_text(paragraph["content"]).strip(SPACES) for paragraph in paragraphs).strip(
        SPACES
    )


def render_inline_text(content: list[Node]) -> str:
    """The plain text of some nodes; images have none."""
    return "".join(map(_text_node, content))


def shown_tag(node: Node) -> str:
    """The tag of a reference as readers see it: "glasses", or "f:glasses" where the namespace was spelled out."""
    prefix = SHOWN_PREFIXES.get(Namespace(node["ns"]), "") if node.get("explicitNs") else ""
    return f"{prefix}{node['tag']}"


def _text_node(node: Node) -> str:
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
