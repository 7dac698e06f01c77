"""The web pages' markup, as the patterns of jmcomic 2.7.10 (`JmcomicText`, `JmPageTool`) look for it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from html import escape

from demo.comments import Comment, comment_count
from demo.library import library
from demo.lists import ListPage
from demo.records import Chapter, Comic
from demo.sample_values import abbreviated

CATEGORY_TITLES = {
    "doujin": "同人",
    "single": "單本",
    "short": "短篇",
    "another": "其他類",
    "hanman": "韓漫",
    "meiman": "美漫",
    "doujin_cosplay": "Cosplay",
    "3D": "3D",
    "english_site": "English Manga",
}
"""Categories of the site, by the name in its URLs."""


def as_html(text: str) -> str:
    """Plain text as HTML: escaped, line ends as breaks."""
    return escape(text).replace("\n", "<br>")


def page(title: str, body: str, head: str = "") -> str:
    """A whole page."""
    return f"""<!DOCTYPE html>
<html lang="zh-TW"><head><meta charset="utf-8">
<title>{escape(title)}|H漫畫 Comics - 禁漫天堂</title>
{head}</head>
<body>
<nav class="navbar"><a href="/">首頁</a> <a href="/albums">A漫</a></nav>
{body}
<footer>示範站：這裡的書都是虛構的。</footer>
</body></html>
"""


def album_page(comic: Comic) -> str:
    """An album's page: as on the real site its body is in base64."""
    hidden = b64encode(_album_body(comic).encode()).decode()
    script = f'<script>\nconst html = base64DecodeUtf8("{hidden}");\ndocument.write(html);\n</script>'
    return page(comic.title, script)


def photo_page(comic: Comic, chapter: Chapter, index: int, image_host: str) -> str:
    """A chapter's page. `image_host` is written with https, since jmcomic's pattern finds it no other way."""
    names = json.dumps(comic.listed_names(chapter))
    head = f"""<meta name="keywords" content="{escape(",".join(comic.tags))}">
<meta property="og:url" content="https://{image_host}/photo/{chapter.id}/">
<script>
var scramble_id = {chapter.scramble_id};
var series_id = {comic.series_id};
var aid = {chapter.id};
var sort = {_place(comic, index) if comic.is_series else 2};
var page_arr = {names};
</script>
"""
    pictures = "\n".join(_picture(chapter, number, name, image_host) for number, name in _names(chapter))
    return page(chapter.title or comic.title, f'<div class="thumb-overlay">\n{pictures}\n</div>', head)


def search_page(query: str, found: ListPage) -> str:
    """A page of search results, with tags."""
    rows = "\n".join(_search_row(comic) for comic in found.comics)
    return page(
        f"搜尋 {query}",
        f"""<div class="well well-sm">
<div>搜尋結果 <span class="text-white">{found.total}</span> A漫.</div>
{rows}
</div>
<div class="row"></div>""",
    )


def category_page(found: ListPage) -> str:
    """A page of a category, with tags."""
    rows = "\n".join(_category_row(comic) for comic in found.comics)
    return page("A漫", f'<div>共 <span class="text-white">{found.total}</span> A漫.</div>\n<div>\n{rows}\n</div>')


def comment_markup(found: Iterable[Comment]) -> str:
    """Comments as the pages load them."""
    return "\n".join(_comment(comment) for comment in found)


def _album_body(comic: Comic) -> str:
    facts = {
        '<span itemprop="author" data-type="works">': comic.works,
        '<span itemprop="author" data-type="actor">': comic.characters,
        '<span itemprop="genre" data-type="tags">': comic.tags,
        '<span itemprop="author" data-type="author">': comic.authors,
    }
    labels = "\n".join(f"{begin}\n{_anchors(names)}\n</span>" for begin, names in facts.items())
    related = "\n".join(
        f'<div class="related"><a href="/album/{other.id}/">{escape(other.title)}</a></div>'
        for other in library().related(comic)
    )
    return f"""<script>
var scramble_id = {comic.chapters[0].scramble_id};
</script>
<div class="panel-heading"><h1 id="book-name" class="book-name">{escape(comic.title)}</h1></div>
<div><span class="number">禁漫車：JM{comic.id}</span></div>
{labels}
<h2 class="p-t-5 p-b-5">敘述：{escape(comic.description)}</h2>
<div><span class="pagecount">頁數:{comic.page_count}</span></div>
<div><span itemprop="datePublished">上架日期 : {comic.published.isoformat()}</span>
<span>更新日期 : {comic.updated.isoformat()}</span></div>
<div>
<span>{abbreviated(comic.views)}</span>
<span>次觀看</span>
</div>
<a id="love_likes_{comic.id}" href="#"><i class="far fa-heart"></i></a>
<span id="albim_likes_{comic.id}">{abbreviated(comic.likes)}</span>
<div class="badge" id="total_video_comments">{comment_count(comic)}</div>
<a class="btn btn-primary reading" href="/photo/{comic.chapters[0].id}">開始閱讀</a>
{_episodes(comic)}
<div class="related-list">
{related}
</div>"""


def _episodes(comic: Comic) -> str:
    if not comic.is_series:
        return ""
    row = _mirror_episode if comic.is_other_markup else _episode
    rows = "\n".join(row(comic, chapter, index) for index, chapter in enumerate(comic.chapters, 1))
    return f'<div class="episode"><ul class="btn-toolbar">\n{rows}\n</ul></div>'


def _episode(comic: Comic, chapter: Chapter, index: int) -> str:
    title = f"第{_place(comic, index)}話 {escape(chapter.title)}"
    return (
        f'<a href="/photo/{chapter.id}" data-album="{chapter.id}"><li>{title}'
        f'<span class="hidden-xs">{comic.published.isoformat()}</span></li></a>'
    )


def _mirror_episode(_comic: Comic, chapter: Chapter, index: int) -> str:
    return f'<a href="/photo/{chapter.id}" class="chapter-item">EP {index}</a>'


def _place(comic: Comic, index: int) -> str:
    """The stated place of a chapter, its position where the site states none."""
    return comic.sorts[index - 1] or str(index)


def _anchors(names: Iterable[str]) -> str:
    return "\n".join(f'<a href="/search/photos?search_query={escape(name)}">{escape(name)}</a>' for name in names)


def _names(chapter: Chapter) -> list[tuple[int, str]]:
    """Page numbers from 0 with their names; one nameless entry where a chapter has no pages."""
    return list(enumerate([page.name for page in chapter.pages] or [""]))


def _picture(chapter: Chapter, number: int, name: str, image_host: str) -> str:
    return (
        f'<img src="https://{image_host}/media/albums/blank.jpg" '
        f'data-original="https://{image_host}/media/photos/{chapter.id}/{name}" '
        f'id="album_photo_{name}" data-page="{number}">'
    )


def _search_row(comic: Comic) -> str:
    """A row of search results. The line of its tags' box ends there: the pattern takes all of a line."""
    title = escape(comic.title)
    return f"""<div class="list-col"><a href="/album/{comic.id}/x"><img title="{title}" alt="{title}"></a>
<div class="label-category">{CATEGORY_TITLES[comic.category]}</div>
<div class="title-truncate tags ">
{_anchors(comic.tags)}
</div></div>"""


def _category_row(comic: Comic) -> str:
    title = escape(comic.title)
    return f"""<div class="list-col">
<a href="/album/{comic.id}/x">
<img src="/media/albums/blank.jpg" title="{title}" alt="{title}">
</a>
<div class="label-loveicon">
{_anchors(comic.tags)}
</div>
<div class="clearfix"></div></div>"""


def _comment(comment: Comment) -> str:
    user_id, username, nickname = comment.user
    classes = "timeline-content disclose" if comment.spoiler else "timeline-content"
    replies = comment_markup(comment.replies)
    return f"""<div class="timeline" data-cid="{{{comment.id}}}" data-userid="{user_id}">
<div class="timeline-left"><a href="/user/{username}"><img src="/media/users/{user_id}.jpg"></a></div>
<div class="timeline-panel"><span class="timeline-username">{escape(nickname)}</span>
<span class="timeline-date">{comment.day.strftime("%b %d, %Y")}</span>
<div class="{classes}">{as_html(comment.text)}</div>
<div class="timeline-ft"><a href="/album/{comment.album_id}/">album</a></div></div>
{replies}</div>"""
