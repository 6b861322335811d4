"""How the page looks: one style sheet, its colours in a table of light and dark."""

from __future__ import annotations

_COLOURS = {
    "paper": ("#eef0f3", "#0b0d10"),
    "ink": ("#1d1c1d", "#e4e5e7"),
    "quiet": ("#56585c", "#a3a8ae"),
    "edge": ("#d5d9de", "#2e3238"),
    "panel": ("#ffffff", "#1a1d21"),
    "link": ("#0b5fae", "#5fb4e8"),
    "bot": ("#2a6f8c", "#2f7d9d"),
    "slack-bar": ("#4a154b", "#3a1240"),
    "slack-quote": ("#c8c9cc", "#50545a"),
    "slack-code": ("#b3154a", "#f0a35e"),
    "slack-badge": ("#e3e4e6", "#3b3f45"),
    "slack-hint": ("#f8f8f9", "#22262a"),
    "mention": ("#e3f1fb", "#17344a"),
    "here": ("#fdf0c4", "#4a3d12"),
    "here-ink": ("#5e4700", "#f5d87b"),
    "chat": ("#c6d9ba", "#0e1621"),
    "bubble": ("#ffffff", "#1c2b3c"),
    "bubble-quiet": ("#5b6b78", "#93a7b9"),
    "bubble-link": ("#1f6fb2", "#79bdf2"),
    "bubble-tint": ("#e9f2fa", "#253a50"),
    "pill": ("rgba(58,84,58,.78)", "rgba(36,52,70,.9)"),
    "key": ("rgba(48,74,52,.72)", "rgba(46,66,88,.85)"),
    "mail-bar": ("#f6f7f9", "#20242a"),
    "initial": ("#2f5d50", "#2f5d50"),
}
"""Name: (light, dark). Words keep a contrast of 4.5 to what they stand on."""

_SHEET = """\
* { box-sizing: border-box; margin: 0; }
body { background: var(--paper); color: var(--ink); padding: 24px clamp(12px, 2vw, 28px) 40px;
  font: 15px/1.46 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  -webkit-text-size-adjust: 100%; }
body > header, .conversation { max-width: 1440px; margin: 0 auto; }
h1 { font-size: 22px; line-height: 1.3; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 28px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 13px; font-weight: 600; color: var(--quiet); margin: 0 0 8px 2px; }
ol, ul { list-style: none; padding: 0; }
a { color: var(--link); text-decoration: none; }
a:hover, .small a { text-decoration: underline; text-underline-offset: 2px; }
b, strong { font-weight: 700; }
.small { font-size: 12.5px; color: var(--quiet); font-weight: 400; }
.defs { position: absolute; width: 0; height: 0; }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 8px; background: var(--bot); fill: none; stroke: #fff;
  stroke-width: 2.6; stroke-linecap: round; stroke-linejoin: round; }
.avatar.tiny { width: 22px; height: 22px; border-radius: 5px; }
.avatar.round { border-radius: 50%; }
.clients { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.client { flex: 1 1 min(360px, 100%); min-width: 0; }
.client.slack { flex-grow: 1.15; }
@media (max-width: 1199px) { .client.slack { flex-basis: 100%; } }
.window { background: var(--panel); border: 1px solid var(--edge); border-radius: 12px; overflow: hidden; }
.bar { display: flex; align-items: center; gap: 6px; min-height: 48px; padding: 8px 16px; font-size: 15px;
  font-weight: 700; border-bottom: 1px solid var(--edge); overflow-wrap: anywhere; }

.slack .titlebar { display: flex; justify-content: center; padding: 7px; background: var(--slack-bar); }
.slack .titlebar span { width: 56%; padding: 1px 10px; border-radius: 6px; background: rgba(255,255,255,.18);
  color: #f3e9f4; font-size: 12px; }
.slack ol { padding: 4px 0 10px; }
.slack .hash { color: var(--quiet); font-weight: 500; }
.slack .day { position: relative; text-align: center; margin: 10px 0 4px; }
.slack .day::before, .slack .count::after { content: ""; position: absolute; top: 50%; left: 0; right: 0;
  border-top: 1px solid var(--edge); }
.slack .day span { position: relative; background: var(--panel); border: 1px solid var(--edge); border-radius: 14px;
  padding: 3px 14px; font-size: 12.5px; font-weight: 700; }
.post { display: flex; gap: 10px; padding: 8px 16px; }
.post > div { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.post .head { line-height: 1.3; margin-bottom: 2px; }
.badge { background: var(--slack-badge); border-radius: 3px; padding: 1px 4px; font-size: 10px; font-weight: 700;
  vertical-align: 1px; }
.said p, .said blockquote { white-space: pre-wrap; }
.slack .said > * + *, .slack .section > * + * { margin-top: 6px; }
.slack blockquote { border-left: 4px solid var(--slack-quote); border-radius: 2px; padding: 1px 0 1px 12px; }
.slack .header { font-size: 18px; line-height: 1.34; font-weight: 800; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 8px 16px; }
.context { display: flex; flex-wrap: wrap; gap: 2px 10px; }
.said hr { border: 0; border-top: 1px solid var(--edge); }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
.button { display: inline-block; border: 1px solid var(--edge); border-radius: 8px; padding: 4px 12px;
  color: var(--ink); font-size: 14px; font-weight: 700; }
.slack code { border: 1px solid var(--edge); border-radius: 3px; background: var(--slack-hint); padding: 1px 3px;
  color: var(--slack-code); font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.mention { background: var(--mention); color: var(--link); border-radius: 3px; padding: 0 2px 1px; }
.mention.here { background: var(--here); color: var(--here-ink); }
.replies, .parent { display: flex; align-items: center; gap: 8px; font-size: 13.5px; }
.above { margin-bottom: 4px; }
.replies { margin-top: 8px; }
.replies b { color: var(--link); }
.panes { display: flex; flex-wrap: wrap; gap: 6px 1px; background: var(--edge); }
.panes > * { flex: 1 1 min(400px, 100%); min-width: 0; background: var(--panel); }
.parent { align-items: flex-start; padding: 12px 16px 4px; }
.parent span { min-width: 0; overflow-wrap: anywhere; }
.count { position: relative; padding: 2px 16px; color: var(--quiet); font-size: 12.5px; }
.count span { position: relative; z-index: 1; background: var(--panel); padding-right: 10px; }
.slack .count::after { left: 16px; }

.telegram .bar { gap: 12px; }
.telegram .bar span { display: block; }
.chat { display: flex; flex-direction: column; align-items: flex-start; gap: 6px; padding: 12px 12px 16px;
  background: var(--chat); }
.chat .day { align-self: center; }
.chat .day span { background: var(--pill); color: #fff; border-radius: 12px; padding: 2px 10px; font-size: 13px;
  font-weight: 600; }
.message { max-width: min(92%, 480px); }
.bubble { background: var(--bubble); border-radius: 12px; padding: 7px 12px 8px; overflow-wrap: anywhere;
  box-shadow: 0 1px 1px rgba(0,0,0,.12); }
.bubble a { color: var(--bubble-link); }
.bubble .said { display: flow-root; white-space: pre-wrap; }
.name { color: var(--bubble-link); font-weight: 600; font-size: 14px; margin-bottom: 2px; }
.strip, .telegram blockquote { border-left: 3px solid var(--bubble-link); border-radius: 4px;
  background: var(--bubble-tint); padding: 3px 8px; margin: 2px 0; }
.strip { display: flex; flex-direction: column; font-size: 13.5px; line-height: 1.35; margin-bottom: 5px; }
.strip b { color: var(--bubble-link); font-weight: 600; }
.strip span { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.bubble code { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.stamp { float: right; margin: 7px 0 -3px 12px; font-size: 12px; line-height: 1.3; color: var(--bubble-quiet); }
.bell { width: 13px; height: 13px; margin-right: 4px; vertical-align: -2px; fill: none; stroke: currentColor;
  stroke-width: 2; stroke-linecap: round; }
.keyboard p { display: flex; gap: 4px; margin-top: 4px; }
.key { flex: 1; position: relative; text-align: center; padding: 7px 20px; border-radius: 8px; background: var(--key);
  color: #fff; font-size: 14px; font-weight: 600; }
a.key::after { content: ""; position: absolute; top: 7px; right: 7px; width: 6px; height: 6px; opacity: .8;
  border: solid #fff; border-width: 1.5px 1.5px 0 0; }

.mail .bar { background: var(--mail-bar); }
.mail .bar .small { margin-left: auto; }
.mail li + li { border-top: 1px solid var(--edge); }
.letter > summary { display: grid; grid-template-columns: 36px 1fr; column-gap: 12px; padding: 12px 16px;
  cursor: pointer; list-style: none; }
.letter > summary::-webkit-details-marker { display: none; }
.initial { grid-row: span 2; display: grid; place-items: center; width: 36px; height: 36px; border-radius: 50%;
  background: var(--initial); color: #fff; font-weight: 600; }
.who { display: flex; justify-content: space-between; gap: 12px; }
.subject { color: var(--quiet); font-size: 14px; overflow-wrap: anywhere; }
.letter[open] .subject { color: var(--ink); font-weight: 600; }
.letter dl { display: grid; grid-template-columns: auto 1fr; gap: 0 10px; padding: 0 16px 10px 64px;
  overflow-wrap: anywhere; }
.mail iframe { display: block; width: 100%; border: 0; border-top: 1px solid var(--edge); resize: vertical; }
.mail pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; padding: 10px 16px; border-top: 1px solid var(--edge); }
.parts { display: flex; flex-wrap: wrap; gap: 8px; padding: 10px 16px; border-top: 1px solid var(--edge); }
.mail .parts li { border: 1px solid var(--edge); border-radius: 8px; padding: 4px 10px; font-size: 13px; }
.plain > summary { padding: 8px 16px; border-top: 1px solid var(--edge); color: var(--quiet); font-size: 13px;
  cursor: pointer; }
"""


def css() -> str:
    """The sheet; `data-theme` on the root forces light or dark, on the mails within as well."""
    light, dark = (" ".join(f"--{name}: {pair[place]};" for name, pair in _COLOURS.items()) for place in (0, 1))
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }}\n'
        f'@media (prefers-color-scheme: dark) {{ :root[data-theme="auto"] {{ color-scheme: dark; {dark} }} }}\n{_SHEET}'
    )
