"""The alias table: the site's names for records, and the order in which namespaces are searched."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from services.ehtag.folding import fold_many, loose_key_of, variants_of
from services.ehtag.records import Namespace, Report, TagKey, TagKind

if TYPE_CHECKING:
    from services.ehtag.snapshot import NameList, TagSnapshot

# Namespaces in which a tag of each kind may have its record, best first: female before male, artist before group.
NAMESPACE_PRIORITY: dict[TagKind, tuple[Namespace, ...]] = {
    TagKind.GENRE: (
        Namespace.FEMALE,
        Namespace.MIXED,
        Namespace.MALE,
        Namespace.OTHER,
        Namespace.LANGUAGE,
        Namespace.LOCATION,
        Namespace.RECLASS,
    ),
    TagKind.WORK: (Namespace.PARODY,),
    TagKind.CHARACTER: (Namespace.CHARACTER,),
    TagKind.AUTHOR: (Namespace.ARTIST, Namespace.GROUP),
}

# Namespaces as written before a colon. Folded.
PREFIXES: dict[str, Namespace] = {
    **{namespace.value: namespace for namespace in Namespace},
    "f": Namespace.FEMALE,
    "女": Namespace.FEMALE,
    "女性": Namespace.FEMALE,
    "m": Namespace.MALE,
    "男": Namespace.MALE,
    "男性": Namespace.MALE,
    "x": Namespace.MIXED,
    "混合": Namespace.MIXED,
    "o": Namespace.OTHER,
    "其他": Namespace.OTHER,
    "l": Namespace.LANGUAGE,
    "lang": Namespace.LANGUAGE,
    "语言": Namespace.LANGUAGE,
    "loc": Namespace.LOCATION,
    "地点": Namespace.LOCATION,
    "r": Namespace.RECLASS,
    "p": Namespace.PARODY,
    "series": Namespace.PARODY,
    "原作": Namespace.PARODY,
    "c": Namespace.CHARACTER,
    "char": Namespace.CHARACTER,
    "角色": Namespace.CHARACTER,
    "a": Namespace.ARTIST,
    "艺术家": Namespace.ARTIST,
    "g": Namespace.GROUP,
    "circle": Namespace.GROUP,
    "团队": Namespace.GROUP,
}

# Words by which a genre tag names a gender: 男性自慰, 女教師, 眼鏡（男）. Folded.
GENDER_WORDS = (
    ("男性", Namespace.MALE),
    ("女性", Namespace.FEMALE),
    ("男", Namespace.MALE),
    ("女", Namespace.FEMALE),
)

# Suffixes of genres, "that sort of thing": 百合向, 觸手play, 絲襪控, 偽娘本. Folded.
GENRE_SUFFIXES = ("play", "题材", "要素", "情节", "向", "系", "控", "癖", "本", "漫")

# Namespaces in which the same raw tag may have a record for each gender.
GENDER_NAMESPACES = (Namespace.FEMALE, Namespace.MIXED, Namespace.MALE)

# Words behind a name that say how somebody is addressed: 甲同學, 乙老師. Folded.
HONORIFICS = (
    *("同学", "老师", "先生", "小姐", "前辈", "学姐", "学妹", "酱", "桑", "大人"),
    *("さん", "ちゃん", "くん", "さま", "样", "先辈"),
)

# Characters that transcriptions of foreign names use for one sound; China, Taiwan and Hong Kong differ.
_SOUNDS = (
    "爱艾埃 亚娅雅 奥欧 巴芭 贝蓓 比碧毕 达妲 黛戴 德得 蒂迪狄帝缇提 多朵 尔儿 菲费斐 "
    "芙弗夫佛福 格葛盖 赫黑 吉姬基 佳嘉 杰洁 卡咖 科柯 拉菈 莱来 兰岚 雷蕾 "
    "莉丽利里力俐理黎璃 琳林 露鲁璐路卢 罗萝洛珞 玛马 梅美 米蜜 妮尼 娜纳拿 内涅 帕柏 佩珮 "
    "琪奇绮 丝斯思司史 莎沙纱 萨塞瑟 瓦娃 薇维威葳 希西茜汐 伊依 因茵 尤优 珍真琴 兹滋 "
    "伦仑"
)
_SOUND_OF = {ord(character): sounds[0] for sounds in _SOUNDS.split() for character in sounds}

# Characters that such transcriptions use besides.
_TRANSCRIBING = frozenset(_SOUNDS) | frozenset(
    "阿安白班邦保鲍本宾波伯勃博布查察楚茨大丹当道登顿恩法凡范丰冈戈贡古圭哈海汉豪霍加江金京克肯库魁勒龙隆曼芒门蒙孟明摩莫"
    "姆穆南农努诺潘庞皮蒲普乔切丘冉让热仁日荣茹瑞若桑森山舍申圣施什寿舒朔松苏索塔泰坦唐特腾藤廷通图托万旺温沃乌吾武辛欣逊雪"
    "扬耶叶英永约泽扎詹朱宗祖昂翁敦迈赖廉连莲蕊卓俄华卫厄泡珂可诗芬蓝凯修"
)

# Least length of a sound key (characters).
_MIN_SOUNDS = 4

# Least length of a transcription in which one character may differ.
_MIN_SIMILAR = 6

# Length of a name in Japanese (characters); more is a sentence.
_JAPANESE_NAME = range(2, 41)

# Kana, without the marks that Chinese texts use too (・ and ー).
_KANA = re.compile("[ぁ-ゖァ-ヺ]")

# "日语：…", "日文名：…", "原题：…": what follows is a name, to the end of its clause.
_LABEL = re.compile(
    r"(?:日[语語文](?:原?名|[译譯]名|版名|拼[写寫])?|日版名|原[题題名]|外文名|马匹)[为為是]?\s*[：:︰]?\s*"
    r"(?P<name>[^\n；;，,。\[\]`]{2,60})"
)
# "《甲》（こう）", "甲（こう / Kou）" at the beginning of a line; the text before the bracket must be the name.
_IN_BRACKETS = re.compile(r"^(?P<of>[^\n（(]{1,60}?)\s*[（(](?P<name>[^\n]*?[ぁ-ゖァ-ヺ][^\n]*)", re.MULTILINE)
# A line that is a name and nothing else.
_LINE = re.compile(r"^[（(]?(?P<name>[ぁ-ゖァ-ヺー・=＝一-鿿々 　]{2,30})[）)]?$", re.MULTILINE)

_SPELLING_SEPARATOR = re.compile(r"\s*[/／|｜、，,;；。]\s*")
_LABEL_BEFORE = re.compile(r"^\w{1,5}[：:︰]\s*")
_READING = re.compile(r"[（(][^（()）]*[）)]?")
_LATIN_TAIL = re.compile(r"(?<=[ぁ-ゖァ-ヺー一-鿿々])\s+[A-Za-zÀ-ɏ][\w .'’-]*$")
_NO_NAME = re.compile("^由|[是的：:]|创作|所属|负责")
_QUOTES = "《》「」『』“”\"'‌ 　"

# Of the files that a snapshot still uses.
_JAPANESE_NAMES: WeakKeyDictionary[NameList, list[tuple[str, TagKey]]] = WeakKeyDictionary()

REPORTER = "jmgraph.aliases"

# Sections of the file, by kind of tag.
_SECTIONS = {
    "genre": TagKind.GENRE,
    "work": TagKind.WORK,
    "character": TagKind.CHARACTER,
    "author": TagKind.AUTHOR,
}

_NAMESPACES = {namespace.value: namespace for namespace in Namespace}


class AliasTable:
    """What the site's spellings mean: for each kind, ids by spelling, best first. No ids: there is no right record.

    `spellings` has, for each id, the spellings that mean it first of all, in the order of the file, which puts the
    one the site itself uses first. `qualifiers` are folded words that, in brackets after a name, only tell records
    of the same name apart.
    """

    def __init__(self, listed: Mapping[TagKind, Mapping[str, tuple[str, ...]]], qualifiers: frozenset[str]) -> None:
        self._listed = listed
        self.qualifiers = qualifiers
        self.spellings: dict[str, tuple[str, ...]] = {}
        self._by_name: dict[TagKind, dict[str, tuple[str, ...]]] = {}
        for kind, entries in listed.items():
            folded = dict(zip(fold_many(list(entries)), entries.values(), strict=True))
            self._by_name[kind] = {loose_key_of(name) or name: ids for name, ids in folded.items()} | folded
            for spelling, ids in entries.items():
                for best in ids[:1]:
                    self.spellings[best] = (*self.spellings.get(best, ()), spelling)

    def find(self, folded: str, loose_key: str, kind: TagKind) -> tuple[str, ...] | None:
        """The ids a folded spelling means; none of them when it means nothing; None when it isn't listed.

        Where no entry is spelled so, one with the same loose_key_of (`loose_key`) serves.
        """
        found = self._by_name[kind].get(folded)
        return self._by_name[kind].get(loose_key) if found is None else found

    def names(self, kind: TagKind) -> Iterator[str]:
        """The folded spellings that mean a record."""
        return (name for name, ids in self._by_name[kind].items() if ids)

    def entries(self) -> Iterator[tuple[TagKind, str, str]]:
        """Every spelling with each id it means: (TagKind.GENRE, "BL", "male:yaoi")."""
        for kind, entries in self._listed.items():
            yield from ((kind, spelling, tag) for spelling, ids in entries.items() for tag in ids)

    def reports(self) -> Iterator[Report]:
        """Entries that are wrong by themselves: no id, or spellings that fold to one and mean different records."""
        for kind, entries in self._listed.items():
            for folded, (spelling, ids) in zip(fold_many(list(entries)), entries.items(), strict=True):
                if self.find(folded, loose_key_of(folded), kind) != ids:
                    yield Report(REPORTER, f"{spelling}: another spelling of it means something else")
        for _, spelling, tag in self.entries():
            if split_id(tag) is None:
                yield Report(REPORTER, f"{spelling}: {tag} is not namespace:raw")


class DerivedAliases:
    """Spellings of the records of one namespace that follow from the records themselves.

    Names in Japanese that their introductions give, and other transcriptions of their names. A wrong record is worse
    than none: a transcription counts only where one record alone has it.
    """

    def __init__(self, snapshot: TagSnapshot, namespace: Namespace) -> None:
        name_list = snapshot.name_lists.get(namespace)
        self._by_name: dict[str, list[TagKey]] = {}
        self._by_sound: dict[str, TagKey | None] = {}
        self._by_half: dict[str, list[str]] = {}
        if name_list is None:
            return
        named = _japanese_names(snapshot, namespace, name_list)
        for name, (_, key) in zip(fold_many([name for name, _ in named]), named, strict=True):
            self._put(name, key)
            self._put(loose_key_of(name), key)
        parts = [(part, key) for name, key in name_list.with_variants for part in variants_of(name)[0]]
        for name, key in chain(
            zip(name_list.names, name_list.keys, strict=True),
            zip(fold_many([part for part, _ in parts]), (key for _, key in parts), strict=True),
        ):
            self._put_sound(sound_key_of(name), key)

    def find(self, folded: str, loose_key: str) -> Sequence[TagKey]:
        """The keys of the records whose introduction gives this name."""
        return self._by_name.get(folded) or self._by_name.get(loose_key) or ()

    def find_similar(self, folded: str) -> TagKey | None:
        """The one record whose name is another transcription of this one, or differs from that in one character."""
        sounds = sound_key_of(folded)
        if len(sounds) < _MIN_SIMILAR or sounds in self._by_sound:
            return self._by_sound.get(sounds)
        middle = len(sounds) // 2
        halves = {half for at in (middle, middle + 1) for half in (sounds[:at], sounds[at:], sounds[-at:])}
        similar = {
            self._by_sound[known]
            for half in halves
            for known in self._by_half.get(half, ())
            if _is_one_edit(sounds, known)
        }
        return similar.pop() if len(similar) == 1 else None

    def _put(self, name: str, key: TagKey) -> None:
        keys = self._by_name.setdefault(name, []) if name else []
        if key not in keys:
            keys.append(key)

    def _put_sound(self, sounds: str, key: TagKey) -> None:
        if not sounds:
            return
        if self._by_sound.setdefault(sounds, key) != key:
            self._by_sound[sounds] = None
        elif len(sounds) >= _MIN_SIMILAR:
            middle = len(sounds) // 2
            for half in {sounds[:middle], sounds[middle:]}:
                known = self._by_half.setdefault(half, [])
                if sounds not in known:
                    known.append(sounds)


def _japanese_names(snapshot: TagSnapshot, namespace: Namespace, name_list: NameList) -> list[tuple[str, TagKey]]:
    """The names in Japanese of all introductions, which are not read again while their file is unchanged."""
    if name_list not in _JAPANESE_NAMES:
        _JAPANESE_NAMES[name_list] = [
            (japanese, (namespace, raw))
            for raw, name, intro in snapshot.introductions(namespace, may_name_in_japanese)
            for japanese in japanese_names_in(name, intro)
        ]
    return _JAPANESE_NAMES[name_list]


def may_name_in_japanese(row: str) -> bool:
    """Whether a row of a table is worth the search for a name in Japanese; four of five are not."""
    return "日" in row or _KANA.search(row) is not None


def japanese_names_in(name: str, intro: str) -> list[str]:
    """The names in Japanese that an introduction (markdown) gives for the record of this name.

    "日语：田中花（たなか はな）" gives ["田中花", "たなか はな"]. Empty without kana or a label.
    """
    texts = [match["name"] for match in _LABEL.finditer(intro)]
    if _KANA.search(intro):
        texts += [
            match["name"] for match in _IN_BRACKETS.finditer(intro) if _is_of(name, match["of"]) or _is_line(match[0])
        ]
        texts += [match["name"] for match in _LINE.finditer(intro) if _is_name(match["name"])]
    found = dict.fromkeys(spelling for text in texts for spelling in _spellings_of(text))
    return [spelling for spelling in found if len(spelling) in _JAPANESE_NAME]


def _is_of(name: str, before: str) -> bool:
    """Whether the text before a bracket is the name: "《甲》", "甲"."""
    bare = before.strip(_QUOTES)
    return len(bare) in _JAPANESE_NAME and (bare in name or bare.endswith(name))


def _is_name(line: str) -> bool:
    return _KANA.search(line) is not None and not _NO_NAME.search(line)


def _is_line(line: str) -> bool:
    """Whether a line is only a name and its reading: "甲（こう）"."""
    return line.endswith(("）", ")")) and len(line) in _JAPANESE_NAME and not _NO_NAME.search(line)


def _spellings_of(text: str) -> Iterator[str]:
    """The spellings in what follows a label or a bracket, which may not be closed: "田中花（たなか"."""
    text = _within_its_bracket(text)
    for position, part in enumerate(_SPELLING_SEPARATOR.split(_READING.sub("", text))):
        spelling = _LATIN_TAIL.sub("", _LABEL_BEFORE.sub("", part)).strip(_QUOTES)
        if _KANA.search(spelling) or (position == 0 and spelling == part.strip(_QUOTES) and not spelling.isascii()):
            yield spelling
    reading = _READING.search(text)
    if reading and reading.start() and reading.end() == len(text) and _KANA.search(reading[0]):
        yield _SPELLING_SEPARATOR.split(reading[0].strip("（()）"))[0].strip(_QUOTES)


def _within_its_bracket(text: str) -> str:
    """The text up to the bracket that closes what was opened before it."""
    depth = 0
    for position, character in enumerate(text):
        if character in "（(":
            depth += 1
        elif character in "）)":
            depth -= 1
            if depth < 0:
                return text[:position]
    return text


def sound_key_of(folded: str, share: float = 0.75) -> str:
    """A key that is equal for folded transcriptions of one foreign name: "艾莉丝盖恩" and "爱丽丝盖恩".

    "" for what is too short, or when less than `share` of it transcribes: "神里绫华" and "神里绫人" are two persons.
    """
    if len(folded) < _MIN_SOUNDS or folded.isascii():
        return ""
    transcribing = sum(map(_TRANSCRIBING.__contains__, folded))
    return folded.translate(_SOUND_OF) if transcribing >= share * len(folded) else ""


def _is_one_edit(one: str, other: str) -> bool:
    """Whether two strings differ in one character: another one, one more or one less."""
    if len(one) > len(other):
        one, other = other, one
    at = next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[at + (len(one) == len(other)) :] == other[at + 1 :]


@cache
def built_in_aliases() -> AliasTable:
    """The table that ships with jmgraph."""
    return parse_aliases(files("services.ehtag").joinpath("aliases.toml").read_text("utf-8"))


def parse_aliases(text: str) -> AliasTable:
    """The table as written.

    Each section holds `"spelling" = "namespace:raw"`, or several ids, best first, or a table with these as `to` and
    `why`; `[none.<section>]` holds `"why there is no record" = ["spelling", ...]`.
    Raises tomllib.TOMLDecodeError when the text is no TOML.
    """
    document = tomllib.loads(text)
    none = document.get("none", {})
    listed = {
        kind: {spelling: _ids(value) for spelling, value in document.get(section, {}).items()}
        | {word: () for words in none.get(section, {}).values() for word in words}
        for section, kind in _SECTIONS.items()
    }
    return AliasTable(listed, frozenset(fold_many(document.get("qualifiers", []))))


def split_id(tag: str) -> tuple[Namespace, str] | None:
    """(Namespace.FEMALE, "glasses") of "female:glasses"; None when it is no id."""
    namespace, _, raw = tag.partition(":")
    if not raw or namespace not in _NAMESPACES:
        return None
    return _NAMESPACES[namespace], raw


def _ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else _ids(value["to"])
