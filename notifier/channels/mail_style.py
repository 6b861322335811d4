"""The looks of the HTML part, as the attributes of its elements. Pure.

`class` is for readers in the dark, whose clients know style sheets; what it changes stands inline in its light form.
"""

from __future__ import annotations

from dataclasses import dataclass

from notifier.message import Tone

_FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_BREAK = "word-break:break-word;overflow-wrap:anywhere"


@dataclass(frozen=True, slots=True)
class _Paint:
    """A state's background, its text on it, and the stripe beside both."""

    tint: str
    ink: str
    stripe: str


_LIGHT = {
    Tone.CALM: _Paint("#eceff3", "#3a4350", "#7a8494"),
    Tone.MINOR: _Paint("#fdf3cf", "#664200", "#d9a406"),
    Tone.MAJOR: _Paint("#ffe9d6", "#813308", "#e8710a"),
    Tone.CRITICAL: _Paint("#fde4e3", "#8f1919", "#d92d20"),
    Tone.WORK: _Paint("#e4edfd", "#1c488c", "#2f6fed"),
    Tone.GOOD: _Paint("#dff4e7", "#0d562c", "#1e9e55"),
}
_DARK = {
    Tone.CALM: _Paint("#2a2f38", "#d5dae1", "#7a8494"),
    Tone.MINOR: _Paint("#3a300d", "#fbe08a", "#d9a406"),
    Tone.MAJOR: _Paint("#42240d", "#ffc79a", "#e8710a"),
    Tone.CRITICAL: _Paint("#4a1717", "#ffb9b3", "#e5483c"),
    Tone.WORK: _Paint("#16294a", "#aecaff", "#4a83f2"),
    Tone.GOOD: _Paint("#0f3a22", "#9fe6ba", "#2bb168"),
}

HEAD = """\
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<!--[if mso]><style>
table { border-collapse: collapse; mso-table-lspace: 0pt; mso-table-rspace: 0pt }
p, h1, th, td, li { mso-line-height-rule: exactly }
.preview { mso-hide: all }
.button { mso-padding-alt: 12px 22px }
</style><![endif]-->"""


def _style(css: str, name: str = "") -> str:
    return f'class="{name}" style="{css}"' if name else f'style="{css}"'


BODY = _style(f"margin:0;padding:0;background-color:#f3f4f6;color:#1d2330;{_FONT}", "page ink")
PREHEADER = _style(
    "display:none;max-height:0;max-width:0;overflow:hidden;font-size:1px;line-height:1px;color:#f3f4f6;opacity:0",
    "preview",
)
PAGE = _style("width:100%;border-collapse:collapse;background-color:#f3f4f6", "page")
CENTRE = _style("padding:24px 12px;text-align:center")
CARD = _style(
    "width:100%;max-width:600px;margin:0 auto;table-layout:fixed;border-collapse:separate;border-spacing:0;"
    "text-align:left;background-color:#fefefe;border:1px solid #dfe3e8;border-radius:12px",
    "card",
)
TITLE = _style(f"padding:22px 24px 26px;color:#1d2330;{_FONT};{_BREAK}", "ink")
HEADING = _style(f"margin:0 0 16px;font-size:22px;line-height:29px;font-weight:700;color:#1d2330;{_FONT}", "ink")
PARAGRAPH = _style(f"margin:0 0 8px;font-size:16px;line-height:24px;color:#1d2330;{_FONT}", "ink")
LEAD = _style(f"margin:18px 0 8px;font-size:14px;line-height:20px;color:#5a6473;{_FONT}", "quiet")
NOTE = _style(f"margin:12px 0 0;font-size:13px;line-height:19px;color:#5a6473;{_FONT}", "quiet")
FOOTER = _style(
    f"margin:0;padding:16px 24px;text-align:center;font-size:12px;line-height:18px;color:#5a6473;{_FONT}", "quiet"
)
FACTS = _style("width:100%;border-collapse:collapse;margin:0 0 4px;text-align:left")
FACT_LABEL = _style(
    f"width:92px;padding:4px 12px 4px 0;font-size:14px;line-height:21px;font-weight:400;text-align:left;"
    f"vertical-align:top;color:#5a6473;{_FONT}",
    "quiet",
)
FACT_VALUE = _style(
    f"padding:4px 0;font-size:14px;line-height:21px;vertical-align:top;color:#1d2330;{_FONT};{_BREAK}", "ink"
)
QUOTED = _style(f"margin:0;padding:5px 0;font-size:16px;line-height:24px;color:#1d2330;{_FONT}", "ink")
LIST = _style("margin:0;padding:0 0 0 18px")
ITEM = _style(f"margin:0 0 6px;padding:0;font-size:14px;line-height:21px;color:#1d2330;{_FONT}", "ink")
STEP = _style("margin:0;padding:0 0 2px 12px;border-left:2px solid #c3cad4", "rule")
PRESS = _style("margin:22px 0 0;border-collapse:separate;border-spacing:0")
BUTTON = _style("padding:0;background-color:#1d2330;border-radius:8px", "button")
BUTTON_LINK = _style(
    "display:inline-block;padding:12px 22px;font-size:15px;line-height:20px;font-weight:600;color:#f3f4f6;"
    f"text-decoration:none;{_FONT}",
    "press",
)
MARKS = {
    "strong": _style("font-weight:700"),
    "em": _style("font-style:italic"),
    "s": _style("text-decoration:line-through;color:#a3251d", "gone"),
    "code": _style("font-family:Menlo,Consolas,monospace;font-size:14px"),
    "a": _style("color:#1c488c;text-decoration:underline", "link"),
}
EDITED = {**MARKS, "strong": _style("font-weight:700;color:#0d562c", "new")}
"""Within the source's words, where struck ones are gone and bold ones are new."""


def band(tone: Tone) -> str:
    """The strip on top that says the state."""
    paint = _LIGHT[tone]
    return _style(
        f"padding:13px 24px 12px;border-top:4px solid {paint.stripe};border-radius:11px 11px 0 0;"
        f"background-color:{paint.tint};color:{paint.ink};font-size:16px;line-height:22px;font-weight:700;{_FONT}",
        "band",
    )


def quote(tone: Tone) -> str:
    """Words that are not ours."""
    return _style(
        f"margin:0 0 4px;padding:7px 16px;border-left:4px solid {_LIGHT[tone].stripe};background-color:#f3f4f6",
        "quote",
    )


def dark(tone: Tone) -> str:
    """The style sheet."""
    paint = _DARK[tone]
    return f"""<style>
@media (prefers-color-scheme: dark) {{
.page {{ background-color: #0f1216 !important }}
.card {{ background-color: #1a1e25 !important; border-color: #303743 !important }}
.band {{ background-color: {paint.tint} !important; color: {paint.ink} !important; \
border-color: {paint.stripe} !important }}
.quote {{ background-color: #232933 !important; border-color: {paint.stripe} !important }}
.ink {{ color: #e6e9ee !important }}
.quiet {{ color: #a7b0be !important }}
.rule {{ border-color: #4a5361 !important }}
.new {{ color: #9fe6ba !important }}
.gone {{ color: #ff9d94 !important }}
.link {{ color: #aecaff !important }}
.button {{ background-color: #e6e9ee !important }}
.press {{ color: #14181f !important }}
}}
</style>"""
