"""Folds names for comparison: width, case, script and decoration; and splits names that hold several spellings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from opencc import OpenCC

# Middle dots between the words of transcribed names; which one is used depends on the keyboard.
_MIDDLE_DOTS = frozenset("·・‧•∙⋅˙･ᐧ")

# General categories that carry no sound: spaces, emoji and gender signs, brackets, joiners, half characters.
_DECORATION = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "So", "Sk", "Me", "Ps", "Pe", "Pi", "Pf"))

# Used as punctuation, though their category is symbol: "^^" is a name.
_TYPED = frozenset("^`")

# Look-alikes that NFKC keeps apart. 沪 is here because jp2t reads it as the Japanese form of 濾.
_LOOK_ALIKES = {"×": "x", "✕": "x", "〜": "~", "∼": "~", "‐": "-", "–": "-", "—": "-", "―": "-", "−": "-", "沪": "滬"}

# Characters that OpenCC does not unify, though a tag means the same by either: old forms, and 著 妳 姊 of Taiwan for
# 着 你 姐.
_VARIANTS = (
    ("緖", "绪"),
    ("衞", "卫"),
    ("餠", "饼"),
    ("倂", "并"),
    ("竝", "并"),
    ("戯", "戏"),
    ("敍", "叙"),
    ("颕", "颖"),
    ("芸", "艺"),
    ("廻", "回"),
    ("戸", "户"),
    ("苧", "苎"),
    ("著", "着"),
    ("姊", "姐"),
    ("姉", "姐"),
    ("妳", "你"),
    ("牠", "它"),
    ("祂", "他"),
    ("兎", "兔"),
    ("讃", "赞"),
    ("尅", "克"),
    ("婬", "淫"),
    ("鬪", "斗"),
    ("鬭", "斗"),
    ("帬", "裙"),
    ("娯", "娱"),
    ("兪", "俞"),
    ("頽", "颓"),
)

# Least length of a loose key: in Latin letters, and in characters of other scripts, which say more each.
_MIN_LATIN_LETTERS = 3
_MIN_LETTERS = 2

_HIRAGANA = range(ord("ぁ"), ord("ゖ") + 1)
_TO_KATAKANA = ord("ァ") - ord("ぁ")
_LOOSE_LETTERS = {code: code + _TO_KATAKANA for code in _HIRAGANA} | dict.fromkeys(map(ord, "の之"), "的")

# A vertical bar separates spellings; a slash only where it can't belong to the name ("Fate/Zero", ".hack//SIGN"):
# between blanks, or beside a character that is not ASCII. Neither separates inside brackets.
_SEPARATOR = re.compile(
    r"(?:\s*[|｜]\s*|\s+[/／]\s+|(?<=[^\x00-\x7f])[/／](?!/)|(?<!/)[/／](?=[^\x00-\x7f]))"
    r"(?![^（(\[〔【]*[）)\]〕】])"
)
_BRACKETED = re.compile(r"(?P<outer>.+?)\s*[（(\[〔【](?P<inner>[^（()）\[\]〔〕【】]+)[）)\]〕】]\s*")
_INNER_SEPARATOR = re.compile(r"\s*[|｜/／、，,]\s*")

_VARIANT_SEPARATORS = frozenset("|｜/／（(〔[【")

# "玩具总动员系列" is found by what it is a series of.
_SERIES = "系列"

# A single character in brackets is a remark: "(仮)", "(株)", or the code name of a warship.
_MIN_INNER_LENGTH = 2


def fold(text: str) -> str:
    """The text in lower case, half width and Simplified Chinese, without blanks, dots and decoration.

    "蕾米莉亞・斯卡雷特" is "蕾米莉亚斯卡雷特", "ＡＩＲ🕊" is "air". Nothing but decoration folds to "".
    """
    return _simplified(_undecorated(text))


def fold_many(texts: Sequence[str]) -> list[str]:
    """Each text folded, in the order given; some thirty times as fast as one by one.

    OpenCC looks at the words around a character, never over a line's end, so one text a line keeps them separate.
    """
    return _simplified("\n".join(map(_undecorated, texts))).split("\n") if texts else []


def loose_key_of(folded: str) -> str:
    """A key that is equal for folded spellings which differ only in punctuation, kana or the genitive particle.

    Letters and digits alone; hiragana as katakana (EhTag's romaji knows no difference); の and 之 as 的, since
    "鬼滅の刃" is "鬼灭之刃" and "進撃の巨人" is "进击的巨人". "こーひー・めーかー" is "コーヒーメーカー".
    "" when too few letters would be left: "C+" is not "C".
    """
    loose_key = "".join(filter(str.isalnum, folded)).translate(_LOOSE_LETTERS)
    return loose_key if len(loose_key) >= (_MIN_LATIN_LETTERS if loose_key.isascii() else _MIN_LETTERS) else ""


class _CharacterMap(dict[int, str | None]):
    """A table for `str.translate`, filled on first use of each character: None drops it."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kept = None if _is_decoration(character) else _LOOK_ALIKES.get(character, character)
        self[code] = kept
        return kept


_CHARACTER_MAP = _CharacterMap()


def _undecorated(text: str) -> str:
    if text.isascii():
        text = text.lower()
        return text if text.isalnum() else text.translate(_CHARACTER_MAP)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_CHARACTER_MAP)


def _is_decoration(character: str) -> bool:
    return (
        character in _MIDDLE_DOTS
        or (unicodedata.category(character) in _DECORATION and character not in _TYPED)
        or "\ufe00" <= character <= "\ufe0f"  # variation selectors: how an emoji is drawn
    )


def _simplified(text: str) -> str:
    if text.isascii():
        return text
    to_traditional, to_simplified = _converters()
    text = to_simplified.convert(to_traditional.convert(text))
    for variant, usual in _VARIANTS:
        text = text.replace(variant, usual)
    return text


@cache
def _converters() -> tuple[OpenCC, OpenCC]:
    """Japanese forms to Traditional, Traditional to Simplified; t2s alone would leave 竜 and 剣 as they are."""
    return OpenCC("jp2t"), OpenCC("t2s")


def may_have_variants(name: str) -> bool:
    """Whether a name may hold more than one spelling; most don't."""
    return not _VARIANT_SEPARATORS.isdisjoint(name) or name.endswith(_SERIES)


def variants_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The spellings a name consists of, and those in brackets after one.

    "ルリ | るり" gives (("ルリ", "るり"), ()); "甲（乙）" gives (("甲",), ("乙",)); a plain name (("甲",), ()).
    """
    outer: list[str] = []
    inner: list[str] = []
    for part in _SEPARATOR.split(name):
        bracketed = _BRACKETED.fullmatch(part)
        if not bracketed:
            outer += [part.strip(), part.strip().removesuffix(_SERIES)]
            continue
        outer.append(bracketed["outer"].strip())
        inner += [
            word for word in _INNER_SEPARATOR.split(bracketed["inner"].strip()) if len(word) >= _MIN_INNER_LENGTH
        ]
    return tuple(dict.fromkeys(filter(None, outer))), tuple(inner)
