"""Sixty made-up comics about nature, machines, travel and cooking."""

from __future__ import annotations

from datetime import date, timedelta

from demo.records import Chapter, Comic, Page, PageKind
from demo.sample_values import TODAY, draw, likes_of, published_of, views_of

BENCHMARK_ALBUM_ID = 438516
"""One chapter of sixty scrambled webp pages, all of the usual size: what the benchmarks download."""

# number | theme | title | authors | works | characters | tags | category/sub category | pages of each chapter.
# Letters behind a number of pages: j jpg, l lossless webp, m webp with a jpg, a png and a gif among them, s small.
_TABLE = """
118204|nature|高山湖泊寫生帖|林青野|原創|阿湖|全彩 中文 短篇 眼鏡 風景|doujin/chinese|18
132077|machines|老火車站的時鐘|時計堂|原創|站長|中文 長篇 單行本 制服|single/chinese|12+14+11j
145590|travel|沙漠公路七日|吳遠帆|原創|小帆|全彩 中文 旅行 太陽鏡|another/other|24j
156821|cooking|外婆的麵包窯|麥田工房|原創|外婆|全彩 中文 料理 圍裙|short/chinese|10
163348|nature|潮間帶小百科|海岸線|原創|阿貝|全彩 中文 教程 風景|doujin/CG|16l
171905|machines|蒸汽機修理手冊|鐵輪社|原創|阿鐵|中文 教程 機械 手套|single/youth|28
183462|travel|Slow Boat to the North|AdaWells|Original|Finn|英語 旅行 全彩|english_site/other|20
194713|cooking|山菜と味噌汁|山田ことり|オリジナル|ことり|日語 料理 和服|doujin/japanese|14
205238|nature|林間小徑的四季|林青野|原創|小葉|全彩 中文 長篇 風景 狐狸|hanman/chinese|8+9+10+8
214586|machines|燈塔與齒輪|燈塔社|原創|守燈人|中文 單行本 機械|single/chinese|22
221350|travel|島嶼郵差|吳遠帆|原創|郵差阿海|全彩 中文 長篇 帽子 旅行|hanman/chinese|12+10
226941|cooking|廚房裡的化學課|麥田工房|原創|白博士|全彩 中文 教程 白大褂 眼鏡|doujin/chinese|16j
231875|nature|火山邊的村莊|岩與火|原創|阿岩|中文 長篇 風景|short/chinese|20
236402|machines|月球採礦日誌|鐵輪社|原創|艾拉|全彩 中文 科幻 機器人|single/youth|32
240117|nature|蒲公英的旅程|海岸線|原創|阿貝|全彩 中文 短篇|doujin/CG|12l
243690|travel|北極光觀測站|極地社|原創|觀測員|全彩 中文 風景 圍巾|another/other|18
248255|cooking|鄉村市集的湯|湯匙社|原創|湯婆婆|中文 料理 圍裙|short/chinese|10j
252733|machines|腳踏車旅行工房|輪子屋|原創|阿輪|全彩 中文 機械 旅行 雀斑|doujin/chinese|14+12
257816|nature|深海的光|海岸線|原創|潛水員|全彩 中文 科幻|3D/other|24
263409|travel|車窗外的稻田|吳遠帆|原創|小帆|中文 短篇 旅行 風景|doujin/chinese|8
269120|machines|木造飛行機|空想航空|オリジナル|翼|日語 機械 單行本|single/japanese|26
274638|cooking|茶館的一天|湯匙社|原創|茶師傅|全彩 中文 和服 料理|doujin/chinese|16
281957|nature|熊先生的蜂蜜|山羊鬍|原創|熊先生|全彩 中文 短篇 熊|short/chinese|12
289344|travel|環島單車誌|輪子屋|原創|阿輪|全彩 中文 長篇 運動服 旅行|hanman/chinese|10+11+12+9+10
297580|machines|古董收音機|時計堂|原創|收音機店主|中文 短篇 頭戴式耳機|single/chinese|18j
302166|nature|苔蘚觀察日記|林青野|原創|小葉|全彩 中文 教程 風景|doujin/CG|14l
311825|cooking|十二個月的果醬|麥田工房|原創|麥子|全彩 中文 料理 圍裙 雙馬尾|doujin/chinese|24
318490|travel|Postcards from the Coast|AdaWells|Original|Mara|英語 全彩 旅行 風景|english_site/other|12
325771|machines|星際郵務局|鐵輪社|原創|艾拉|全彩 中文 科幻 外星人 機器人|single/youth|30
333908|nature|雪山救援隊|極地社|原創|隊長|中文 長篇 制服|hanman/chinese|16+14+15
341256|cooking|港口食堂|湯匙社|原創|老闆|全彩 中文 料理 短篇|short/chinese|16
350234|nature|雨林深處的一天|林青野|原創|小葉 阿湖|全彩 中文 短篇 狐狸 眼鏡|doujin/chinese|24
358617|travel|溪谷露營指南|山羊鬍|原創|露營者|全彩 中文 教程 旅行|another/other|20m
366043|machines|機器人園丁|鐵輪社|原創|園丁七號|全彩 中文 科幻 機器人|3D/other|18
374829|nature|候鳥的地圖|海岸線|原創|阿貝|全彩 中文 長篇 風景 翅膀|doujin/chinese|22
382150|cooking|鍋と星空|山田ことり|オリジナル|ことり|日語 料理 全彩|doujin/japanese|14j
390771|travel|古城牆散步|吳遠帆|原創|小帆|全彩 中文 漢服 旅行|doujin/chinese|18
398405|machines|水力磨坊|燈塔社|原創|磨坊主|中文 機械 單行本|single/chinese|26
407932|nature|恐龍化石挖掘記|岩與火|原創|阿岩|全彩 中文 教程 恐龍|doujin/CG|28
415286|cooking|點心師傅的早晨|麥田工房|原創|麥子|全彩 中文 料理 丸子頭|short/chinese|12
422571|travel|夜行列車|時計堂|原創|站長|全彩 中文 制服 旅行|single/chinese|20
427118|machines|深空望遠鏡|空想航空|原創|天文學家|全彩 中文 科幻 白大褂|another/3d|16
431760|nature|蘑菇採集手帖|林青野|原創|小葉|全彩 中文 教程|doujin/CG|18l
438516|machines|齒輪城六十景|鐵輪社|原創|阿鐵 艾拉|全彩 中文 機械 風景 機器人|single/chinese|60
445902|travel|雲海上的纜車|極地社|原創|觀測員|全彩 中文 風景 圍巾|doujin/chinese|14
452377|cooking|麵條工廠|湯匙社|原創|麵師傅|全彩 中文 料理 機械|short/chinese|16
459640|nature|溼地的清晨|海岸線|原創|阿貝|全彩 中文 短篇 風景|doujin/chinese|10
466213|machines|天空快遞|空想航空|原創|翼|全彩 中文 科幻 手套|meiman/chinese|22
473985|travel|峽灣漂流記|吳遠帆|原創|小帆 阿海|全彩 中文 長篇 旅行|hanman/chinese|12+12+13
481206|cooking|辣椒圖鑑|麥田工房|原創|麥子|全彩 中文 教程 料理|doujin/CG|20m
489557|nature|龍形樹與石頭海|岩與火|原創|阿岩|全彩 中文 風景 龍|doujin/chinese|24
497830|machines|折紙機械師|輪子屋|オリジナル|オリ|日語 機械 雙馬尾|doujin/japanese|18
512048|travel|茶馬古道速寫|山羊鬍|原創|商隊長|全彩 中文 旅行 漢服|another/other|40
538714|cooking|小鎮冰淇淋車|湯匙社|寶可夢|冰淇淋師傅 皮卡丘|全彩 中文 料理 帽子|doujin/chinese|12
587423|machines|Clockwork Harbor|AdaWells|Original|Finn|英語 機械 全彩|meiman/chinese|26
643190|nature|星空下的狐狸|林青野|原創|小葉|全彩 中文 短篇 狐狸|doujin/chinese|16
729865|travel|海盜船博物館|燈塔社|原創|館長|全彩 中文 旅行 海盜 西裝|doujin_cosplay/cosplay|18
874301|cooking|早餐店的暗號|麥田工房|動物之森|麥子|全彩 中文 料理 短篇 眼鏡|doujin/chinese|14
1035482|machines|像素農場|輪子屋|我的世界|阿輪|全彩 中文 像素畫 機械|3D/other|30m
1208626|nature|河岸筆記：春分特輯|海岸線|原創|阿貝 小葉|全彩 中文 短篇 風景|doujin/chinese|20
"""

_DESCRIPTIONS = {
    "nature": "一本關於山、水與天氣的小書，慢慢走，慢慢看。",
    "machines": "齒輪、鉚釘與會轉的東西，附拆解圖。",
    "travel": "一張車票，一本筆記，一路上的人與風景。",
    "cooking": "從市場到餐桌，每一道都可以照著做。",
}

_CHAPTER_TITLES = ("出發", "轉彎", "午後", "遠方", "歸途")

_SHAPES = ((960, 1360), (960, 1360), (960, 1360), (960, 1357), (1000, 1414))
"""Pixels of a page by its comic: mostly the usual size, some whose height no number of strips divides."""

_SMALL = (480, 683)

_MIXED = {4: PageKind.JPG, 7: PageKind.PNG, 9: PageKind.GIF}

_KINDS = {"j": PageKind.JPG, "l": PageKind.LOSSLESS}


def comics() -> tuple[Comic, ...]:
    """All of them, by number."""
    return tuple(_comic(line.split("|")) for line in _TABLE.strip().splitlines())


def pages(count: int, kind: PageKind, width: int, height: int) -> tuple[Page, ...]:
    """`count` pages of one kind, named "00001.webp" and so on."""
    return tuple(Page(f"{number:05}.{kind.ending}", kind, width, height) for number in range(1, count + 1))


def _comic(row: list[str]) -> Comic:
    number, theme, title, authors, works, characters, tags, categories, shape = row
    id = int(number)
    category, sub_category = categories.split("/")
    published = published_of(id)
    return Comic(
        id=id,
        title=title,
        theme=theme,
        authors=tuple(authors.split()),
        works=(works,),
        characters=tuple(characters.split()),
        tags=tuple(tags.split()),
        category=category,
        sub_category=sub_category,
        description=_DESCRIPTIONS[theme],
        published=published,
        updated=_updated(id, published),
        views=views_of(id),
        likes=likes_of(id),
        chapters=_chapters(id, title, shape.split("+")),
    )


def _updated(id: int, published: date) -> date:
    return min(TODAY, published + timedelta(days=draw(id, "update", below=40)))


def _chapters(id: int, title: str, shapes: list[str]) -> tuple[Chapter, ...]:
    if len(shapes) == 1:
        return (Chapter(id, title, _pages(id, shapes[0])),)
    return tuple(
        Chapter(id + index, _CHAPTER_TITLES[index], _pages(id + index, shape)) for index, shape in enumerate(shapes)
    )


def _pages(chapter_id: int, shape: str) -> tuple[Page, ...]:
    count, letter = int(shape.rstrip("jlm")), shape[-1]
    width, height = _SMALL if letter == "l" else _shape(chapter_id)
    plain = pages(count, _KINDS.get(letter, PageKind.WEBP), width, height)
    if letter != "m":
        return plain
    return tuple(_mixed(number, page) for number, page in enumerate(plain, 1))


def _shape(chapter_id: int) -> tuple[int, int]:
    return _SHAPES[0] if chapter_id == BENCHMARK_ALBUM_ID else _SHAPES[chapter_id % len(_SHAPES)]


def _mixed(number: int, page: Page) -> Page:
    kind = _MIXED.get(number, PageKind.WEBP)
    return Page(f"{page.stem}.{kind.ending}", kind, page.width, page.height)
