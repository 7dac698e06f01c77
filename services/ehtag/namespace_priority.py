"""Where a record may be, by where on the site a tag stood, and the words with which tags name a place themselves."""

from __future__ import annotations

from services.ehtag.records import Namespace, TagKind

# Where a tag stood decides where its record may be, best first: female before male, artist before group.
PLACES: dict[TagKind, tuple[Namespace, ...]] = {
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

# Namespaces as people write them before a colon. Folded.
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

# A genre tag that says whose it is: 男性自慰, 女教師, 眼鏡（男）. Folded.
GENDERS = (
    ("男性", Namespace.MALE),
    ("女性", Namespace.FEMALE),
    ("男", Namespace.MALE),
    ("女", Namespace.FEMALE),
)

# What people hang behind a genre to say "that sort of thing": 百合向, 觸手play, 絲襪控, 偽娘本. Folded.
SORTS = ("play", "题材", "要素", "情节", "向", "系", "控", "癖", "本", "漫")

TWINS = (Namespace.FEMALE, Namespace.MIXED, Namespace.MALE)
