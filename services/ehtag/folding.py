"""Folds names for comparison: width, case, script and decoration; splits names of several spellings; reads pinyin."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from itertools import chain, islice, product
from pathlib import Path

import msgspec
from opencc import OpenCC

# Middle dots between the words of transcribed names; which one is used depends on the keyboard.
_MIDDLE_DOTS = frozenset("·・‧•∙⋅˙･ᐧ")

# General categories that carry no sound: spaces, emoji and gender signs, brackets, joiners, half characters.
_DECORATION = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "So", "Sk", "Me", "Ps", "Pe", "Pi", "Pf"))

# Used as punctuation, though their category is symbol: "^^" is a name.
_TYPED = frozenset("^`")

# Look-alikes that NFKC keeps apart. 沪 is here because jp2t reads it as the Japanese form of 濾.
_LOOK_ALIKES = {"×": "x", "✕": "x", "〜": "~", "∼": "~", "‐": "-", "–": "-", "—": "-", "―": "-", "−": "-", "沪": "滬"}

# Japanese forms that jp2t leaves as they are, and what is written for them elsewhere.
_LOOK_ALIKES |= dict(
    zip(
        "姫氷呪砲隣呉汚渕壷筱澁舎搾窓髙鐡箒篭隷瑠冨",
        "姬冰咒炮鄰吳污淵壺篠澀舍榨窗高鐵帚籠隸琉富",
        strict=True,
    )
)

# Characters that OpenCC does not unify, though a tag means the same by either: old forms, those that it converts by
# word (連結 is 联结), and 著 妳 姊 of Taiwan for 着 你 姐.
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
    ("联", "连"),
    ("沈", "沉"),
    ("鲶", "鲇"),
    ("睪", "睾"),
    ("枱", "台"),
)

_VARIANT_CHARACTERS = frozenset(variant for variant, _ in _VARIANTS)

# Least length of a loose key: in Latin letters, and in characters of other scripts, which say more each.
_MIN_LATIN_LETTERS = 3
_MIN_LETTERS = 2

# Readings kept of a character (长 is zhang and chang), the least share of its phrases that each needs, and of a name.
_MAX_READINGS = 2
_MIN_READING_SHARE = 0.2
_MIN_PHRASES = 3
_MAX_NAME_READINGS = 4
_LONGEST_PHRASE = 4

# の and 之 are 的 in a loose key.
_READINGS_OF_PARTICLE = ("de", "zhi")

_READING_UNIT = re.compile("[\u4e00-\u9fff]|[^\u4e00-\u9fff]+")
_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u30ff]")

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

# "「仆人」阿蕾奇诺": an epithet before a name, and the name.
_EPITHET = re.compile(r"「(?P<epithet>[^「」]{2,})」\s*(?P<name>[^「」（(|｜/／]{2,})")

_VARIANT_SEPARATORS = frozenset("|｜/／（(〔[【「")

# "玩具总动员系列" is found by what it is a series of.
_SERIES = "系列"

# A single character in brackets is a remark: "(仮)", "(株)", or the code name of a warship.
_MIN_INNER_LENGTH = 2

# What tells an edition or a sequel behind a title. Numbers only where something else separates them from the title.
_EDITION = re.compile(
    r"[\s:：~～\-]*(?:第[\d一二三四五六七八九十]+[季期部章作幕]|[续續][篇集作]|完[结結]篇|[剧劇][场場場]版|[电電]影版?|重[制製]版|[复復]刻版?|"
    r"豪[华華]版|完全版|增[强強]版|系列|(?<![a-z])(?:tv版?|ova|[ivx]+|r|s|dx|hd|plus|re|online|portable|remaster(?:ed)?)|"
    r"(?<!\d)\d+)[!！]*$",
    re.IGNORECASE,
)
_BEFORE_TITLE = re.compile(r"^(?:[剧劇][场場]版|[电電]影版?|tv版?|新作)\s*[:：]?\s*", re.IGNORECASE)
_SUBTITLE = re.compile(r"[\s:：~～「『《<＜—―]+")

# Least length of a title before a subtitle: in Latin letters and two words, and in other characters.
_MIN_LATIN_TITLE = 6
_MIN_TITLE = 4
_MIN_TITLE_BEFORE_EDITION = 2

_SCRIPTS = re.compile(r"[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]|[^\x00-\x7f]+")
_WITH_READING = re.compile("(?P<name>[一-鿿々]{3,})(?P<reading>[ぁ-ゖァ-ヺー]{4,})")
_QUOTED = re.compile(r"[「『“《](?P<inside>[^「」『』“”《》]+[）)】\]〕])[」』”》]")


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
    loose_key = letters_of(folded)
    return loose_key if len(loose_key) >= (_MIN_LATIN_LETTERS if loose_key.isascii() else _MIN_LETTERS) else ""


def letters_of(folded: str) -> str:
    """The letters and digits of a folded text, in the form that `loose_key_of` compares."""
    return "".join(filter(str.isalnum, folded)).translate(_LOOSE_LETTERS)


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
    for variant, usual in () if _VARIANT_CHARACTERS.isdisjoint(text) else _VARIANTS:
        text = text.replace(variant, usual)
    return text


@cache
def _converters() -> tuple[OpenCC, OpenCC]:
    """Japanese forms to Traditional, Traditional to Simplified; t2s alone would leave 竜 and 剣 as they are."""
    return OpenCC("jp2t"), OpenCC("t2s")


def other_scripts(text: str) -> list[str]:
    """The text in Traditional Chinese, as Taiwan writes it, and in Simplified, without what equals the text itself.

    "机器人" gives ["機器人"], "頭发" gives ["頭髮", "头发"], "robot" gives [].
    """
    if not _HAN.search(text):
        return []
    to_simplified, to_traditional = _script_converters()
    simplified = to_simplified.convert(text)
    return [spelling for spelling in (to_traditional.convert(simplified), simplified) if spelling != text]


class ChineseScript(StrEnum):
    """The two scripts of Chinese."""

    SIMPLIFIED = "SIMPLIFIED"
    TRADITIONAL = "TRADITIONAL"


def in_script(text: str, script: ChineseScript) -> str:
    """The text in this script: "機器人" in SIMPLIFIED is "机器人". With kana it is Japanese, and stays as it is."""
    if not _HAN.search(text) or _KANA.search(text):
        return text
    to_simplified, to_traditional = _script_converters()
    simplified: str = to_simplified.convert(text)
    traditional: str = to_traditional.convert(simplified)
    return simplified if script is ChineseScript.SIMPLIFIED else traditional


@cache
def _script_converters() -> tuple[OpenCC, OpenCC]:
    return OpenCC("t2s"), OpenCC("s2tw")


def may_have_variants(name: str) -> bool:
    """Whether a name may hold more than one spelling; most don't."""
    return not _VARIANT_SEPARATORS.isdisjoint(name) or name.endswith(_SERIES)


def variants_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The spellings a name consists of, and those in brackets after one.

    "ルリ | るり" gives (("ルリ", "るり"), ()); "甲（乙）" gives (("甲",), ("乙",)); "「船长」甲乙" gives
    (("甲乙", "船长"), ()); a plain name (("甲",), ()).
    """
    outer: list[str] = []
    inner: list[str] = []
    for part in _SEPARATOR.split(name):
        bracketed = _BRACKETED.fullmatch(part)
        if epithet := _EPITHET.fullmatch(part):
            outer += [epithet["name"].strip(), epithet["epithet"].strip()]
            continue
        if not bracketed:
            outer += [part.strip(), part.strip().removesuffix(_SERIES)]
            continue
        outer.append(bracketed["outer"].strip())
        inner += [
            word for word in _INNER_SEPARATOR.split(bracketed["inner"].strip()) if len(word) >= _MIN_INNER_LENGTH
        ]
    return tuple(dict.fromkeys(filter(None, outer))), tuple(inner)


def split_brackets(name: str) -> tuple[str, str]:
    """A name and what is in brackets behind it: ("翡翠", "甲（乙）") of "翡翠（甲（乙））"; ("", "") without."""
    quoted = _QUOTED.fullmatch(name)
    name = quoted["inside"] if quoted else name
    if name[-1:] not in "）)】]〕":
        return "", ""
    depth = 0
    for position in range(len(name) - 1, 0, -1):
        depth += (name[position] in "）)】]〕") - (name[position] in "（(【[〔")
        if not depth:
            return name[:position].strip(), name[position + 1 : -1].strip()
    return "", ""


def title_stems(title: str) -> list[str]:
    """What a title is without its edition, sequel or subtitle, longest first: ["甲乙丙丁"] of "甲乙丙丁 第二季"."""
    stems = [_BEFORE_TITLE.sub("", title)]
    while (stem := _EDITION.sub("", stems[-1]).strip()) != stems[-1] and len(stem) >= _MIN_TITLE_BEFORE_EDITION:
        stems.append(stem)
    for separator in reversed(list(_SUBTITLE.finditer(title))):
        stem = title[: separator.start()].strip()
        is_latin = stem.isascii()
        if len(stem) >= (_MIN_LATIN_TITLE if is_latin else _MIN_TITLE) and (not is_latin or " " in stem):
            stems.append(stem)
    return [stem for stem in dict.fromkeys(stems) if stem != title]


def scripts_of(name: str) -> list[str]:
    """The parts of a name in Latin letters and in other scripts: ["獵人", "HUNTERxHUNTER"]."""
    return _SCRIPTS.findall(name)


def name_without_reading(folded: str) -> str:
    """A folded name without the kana behind it that tell how it is read; "" when there are none.

    "东风谷早苗こちやさなえ" is "东风谷早苗". A reading is longer than the name, unlike a name in kana.
    """
    match = _WITH_READING.fullmatch(folded)
    return match["name"] if match and len(match["reading"]) > len(match["name"]) else ""


def pinyin_of(folded: str) -> list[tuple[str, ...]]:
    """How a folded name is read, the likeliest first, without tones, ü as v: "长发f" is [("chang", "fa", "f"), ...].

    One syllable for each Chinese character; what stands between them is kept. [] for names without Chinese
    characters, and for Japanese ones, which have kana.
    """
    if not _HAN.search(folded) or _KANA.search(folded):
        return []
    characters, phrases = _readings()
    choices: list[Sequence[str]] = []
    at = 0
    while at < len(folded):
        known = (folded[at : at + length] for length in range(_LONGEST_PHRASE, 1, -1))
        if phrase := next((part for part in known if part in phrases), None):
            choices += [(syllable,) for syllable in phrases[phrase]]
            at += len(phrase)
            continue
        unit = _READING_UNIT.match(folded, at)
        text = unit[0] if unit else folded[at]
        choices.append(characters.get(text, (text,)))
        at += len(text)
    return list(islice(product(*choices), _MAX_NAME_READINGS))


def reading_units(folded: str) -> list[str]:
    """The parts of a folded name that `pinyin_of` reads: each Chinese character, and what stands between them."""
    return _READING_UNIT.findall(folded)


@cache
def _readings() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """Readings of each character, the most usual in phrases first; and phrases that are read otherwise.

    From the dictionaries of pypinyin. Its functions would keep all 47,000 phrases: 55 MB in place of 4.
    """
    folder = _pypinyin_folder()
    phrases = msgspec.json.decode((folder / "phrases_dict.json").read_bytes(), type=dict[str, msgspec.Raw])
    used = Counter(
        chain.from_iterable(zip(phrase, _syllables(read), strict=False) for phrase, read in phrases.items())
    )
    listed = msgspec.json.decode((folder / "pinyin_dict.json").read_bytes(), type=dict[int, str])
    characters = {
        chr(code): _usual(chr(code), tuple(dict.fromkeys(map(_toneless, readings.split(",")))), used)
        for code, readings in listed.items()
        if _HAN.match(chr(code))
    }
    characters["的"] = _READINGS_OF_PARTICLE
    usual = {character: readings[0] for character, readings in characters.items()}
    short = ((phrase, _syllables(read)) for phrase, read in phrases.items() if len(phrase) <= _LONGEST_PHRASE)
    return characters, {phrase: read for phrase, read in short if read != tuple(map(usual.get, phrase))}


def _syllables(read: msgspec.Raw) -> tuple[str, ...]:
    """Of `[["lǚ"], ["xíng"]]`; where a character has several readings, the first."""
    return tuple(_toneless(readings[0]) for readings in msgspec.json.decode(read, type=list[list[str]]))


def _pypinyin_folder() -> Path:
    """Where its dictionaries are, without importing it: that alone would load them."""
    spec = find_spec("pypinyin")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pypinyin is not installed")
    return Path(spec.origin).parent


def _usual(character: str, readings: tuple[str, ...], used: Counter[tuple[str, str]]) -> tuple[str, ...]:
    counts = {reading: used[character, reading] for reading in readings}
    total = sum(counts.values())
    if total >= _MIN_PHRASES:
        ordered = sorted(readings, key=lambda reading: -counts[reading])
        readings = tuple(reading for reading in ordered if counts[reading] >= _MIN_READING_SHARE * total)
    return readings[:_MAX_READINGS]


@cache
def _toneless(syllable: str) -> str:
    """ "lǚ" is "lv"."""
    parts = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(filter(str.isalpha, parts))
