"""One spelling for all ways a name is written: width, case, script and decoration folded away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from opencc import OpenCC

# Middle dots part the words of transcribed names; writers take whichever their keyboard has.
_MIDDLE_DOTS = frozenset("·・‧•∙⋅˙･ᐧ")

# General categories that carry no sound: spaces, emoji and gender signs, brackets, joiners, half characters.
_DECORATION = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "So", "Sk", "Me", "Ps", "Pe", "Pi", "Pf"))

# Typed as punctuation, though their category says symbol: "^^" is a name.
_TYPED = frozenset("^`")

# Look-alikes that NFKC keeps apart. 沪 stands here because jp2t reads it as the Japanese form of 濾.
_LOOK_ALIKES = {"×": "x", "✕": "x", "〜": "~", "∼": "~", "‐": "-", "–": "-", "—": "-", "―": "-", "−": "-", "沪": "滬"}

# What OpenCC leaves apart, though a tag means the same by either: old forms, and Taiwan's 著 妳 姊 beside 着 你 姐.
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

# Least length of a loose key: in letters, and in characters of scripts that say more with each.
_SHORTEST_LATIN = 3
_SHORTEST = 2

_HIRAGANA = range(ord("ぁ"), ord("ゖ") + 1)
_TO_KATAKANA = ord("ァ") - ord("ぁ")
_SKELETON = {code: code + _TO_KATAKANA for code in _HIRAGANA} | dict.fromkeys(map(ord, "の之"), "的")

# A stroke parts spellings; a slash only where it can't belong to the name ("Fate/Zero", ".hack//SIGN"):
# between blanks, or beside a character that is not ASCII. Neither parts anything inside brackets.
_OR = re.compile(
    r"(?:\s*[|｜]\s*|\s+[/／]\s+|(?<=[^\x00-\x7f])[/／](?!/)|(?<!/)[/／](?=[^\x00-\x7f]))"
    r"(?![^（(\[〔【]*[）)\]〕】])"
)
_BRACKETED = re.compile(r"(?P<outer>.+?)\s*[（(\[〔【](?P<inner>[^（()）\[\]〔〕【】]+)[）)\]〕】]\s*")
_AND = re.compile(r"\s*[|｜/／、，,]\s*")

_PARTING = frozenset("|｜/／（(〔[【")

# "玩具总动员系列" is found by what it is a series of.
_SERIES = "系列"

# One sign in brackets is a remark: "(仮)", "(株)", or the code name of a warship.
_SHORTEST_INNER = 2


def fold(text: str) -> str:
    """The text in lower case, half width and Simplified Chinese, without blanks, dots and decoration.

    "蕾米莉亞・斯卡雷特" is "蕾米莉亚斯卡雷特", "ＡＩＲ🕊" is "air". Nothing but decoration folds to "".
    """
    return _script(_plain(text))


def fold_many(texts: Sequence[str]) -> list[str]:
    """Each text folded, in the order given; some thirty times as fast as one by one.

    OpenCC looks at the words around a character, never over a line's end, so one text a line keeps them apart.
    """
    return _script("\n".join(map(_plain, texts))).split("\n") if texts else []


def loose_key_of(folded: str) -> str:
    """What two folded spellings share when they differ only in punctuation, in kana or in the genitive.

    Letters and digits alone; hiragana as katakana (EhTag's romaji knows no difference); の and 之 as 的, since
    "鬼滅の刃" is "鬼灭之刃" and "進撃の巨人" is "进击的巨人". "こーひー・めーかー" is "コーヒーメーカー".
    "" when too little would be left to go by: "C+" is not "C".
    """
    loose_key = "".join(filter(str.isalnum, folded)).translate(_SKELETON)
    return loose_key if len(loose_key) >= (_SHORTEST_LATIN if loose_key.isascii() else _SHORTEST) else ""


class _Undecorated(dict[int, str | None]):
    """Character to what stands for it, found out on first sight: None drops it."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kept = None if _is_decoration(character) else _LOOK_ALIKES.get(character, character)
        self[code] = kept
        return kept


_UNDECORATED = _Undecorated()


def _plain(text: str) -> str:
    if text.isascii():
        text = text.lower()
        return text if text.isalnum() else text.translate(_UNDECORATED)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_UNDECORATED)


def _is_decoration(character: str) -> bool:
    return (
        character in _MIDDLE_DOTS
        or (unicodedata.category(character) in _DECORATION and character not in _TYPED)
        or "\ufe00" <= character <= "\ufe0f"  # variation selectors: how an emoji is drawn
    )


def _script(text: str) -> str:
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


def may_have_parts(name: str) -> bool:
    """Whether a name may hold more than one spelling; most don't."""
    return not _PARTING.isdisjoint(name) or name.endswith(_SERIES)


def parts_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The spellings a name is made of, and those that stand in brackets behind one.

    "ルリ | るり" gives (("ルリ", "るり"), ()); "甲（乙）" gives (("甲",), ("乙",)); a plain name (("甲",), ()).
    """
    outer: list[str] = []
    inner: list[str] = []
    for part in _OR.split(name):
        bracketed = _BRACKETED.fullmatch(part)
        if not bracketed:
            outer += [part.strip(), part.strip().removesuffix(_SERIES)]
            continue
        outer.append(bracketed["outer"].strip())
        inner += [word for word in _AND.split(bracketed["inner"].strip()) if len(word) >= _SHORTEST_INNER]
    return tuple(dict.fromkeys(filter(None, outer))), tuple(inner)
