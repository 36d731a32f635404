"""Whatever sensors and labels say, the page and the metrics show it, and as text only."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from snapshots import disagreement, node, sensor, usual

from mailtap.live.page.metrics import exposition
from mailtap.live.page.view import View
from mailtap.live.state import Gap, Snapshot
from mailtap.report.model import Agreement, MatrixCell, SensorAgreement, WindowAgreement
from mailtap.report.tls_model import Certificates, ServerFindings, ServerStartTls, Tls

TAGS = {
    *("h1", "h2", "p", "ul", "li", "strong", "br", "span", "div", "code", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "button"),
    *("svg", "g", "title", "rect"),
}

VIEW = View()

texts = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", "\"><img src=x onerror='x'>", "{{ now }}", "&lt;", "\ud800"]
)
times = st.floats() | st.floats(0, 4e9)
counts = st.integers(0, 1 << 62)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    text = draw(texts)
    agreement = Agreement(*(draw(counts) for _ in range(4)))
    one = replace(
        sensor(text, draw(st.booleans())),
        error=draw(st.none() | texts),
        since=draw(st.none() | times),
        lag=draw(st.none() | st.floats()),
        nodes=(node(draw(texts)), replace(node(text), latest=draw(times))),
        gaps=(Gap(text, draw(times), draw(times), draw(counts)),),
    )
    shown = replace(
        disagreement(1, app=text),
        uid=draw(st.none() | texts),
        client=draw(st.none() | texts),
        ts=draw(st.none() | times),
        cause=draw(st.none() | texts),
        causes=(text, text),
    )
    starts = draw(st.lists(st.floats(0, 4e9), max_size=3))
    return replace(
        usual(),
        at=draw(times),
        sensors=(one, one),
        label_sources=(replace(usual().label_sources[0], name=text, error=text, format=text),),
        by_sensor=(SensorAgreement(draw(st.none() | texts), agreement),),
        matrix=(MatrixCell(text, draw(texts), draw(texts), draw(counts)),),
        timeline=tuple(WindowAgreement(start, 60.0, agreement) for start in starts),
        disagreements=(shown, shown),
        tls=Tls(
            starttls=(ServerStartTls(text, 25, *draw(st.tuples(*[counts] * 5))),),
            versions={text: draw(counts)},
            certificates=Certificates(*draw(st.tuples(*[counts] * 4))),
            findings=(ServerFindings(text, None, {"smuggled": draw(counts)}, text),),
        ),
    )


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_page_s_own_markup_is_not_shown_as_text() -> None:
    page = VIEW.page(usual())
    assert '<details class="terms quiet">' in page
    assert "&lt;" not in page


@given(snapshots())
def test_every_state_can_be_shown_and_adds_no_element_of_its_own(now: Snapshot) -> None:
    sections = VIEW.sections(now)
    for html in sections.values():
        elements = Elements(html)
        assert elements.tags <= TAGS
        assert not any(
            name.startswith("on") or name in ("src", "style") for name in elements.attributes
        )
    assert VIEW.page(now).encode()


@given(snapshots())
def test_every_state_can_be_exported_and_read_back(now: Snapshot) -> None:
    assert list(text_string_to_metric_families(exposition(now).decode()))
