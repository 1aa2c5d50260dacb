"""HTML pages: one frame and one style for every report, and the escaping of their contents.

Pages are self-contained, without scripts, readable by people and screen readers. Every string that may come
from a file goes through `text`. The page's policy (CSP) forbids scripts, connections and outside resources
whatever it holds. Colours keep a contrast of at least 4.5 in both themes.
"""

from __future__ import annotations

import html

from safegen._text import one_line

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #6e7781; --soft: #f3f4f6;
  --good: #116329; --bad: #b3121d; --caution: #7a4b00; --note: #0b4f8a; --none: #3d444d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #14181d; --line: #8b949e;
  --soft: #20262d; --good: #4ac26b; --bad: #ff8182; --caution: #e2b14a; --note: #79b8ff; --none: #b1bac4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; overflow-wrap: anywhere; } h3 { font-size: 1rem; }
section { border-top: 2px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
.verdict { border-left: .5rem solid; padding: .75rem 1rem; background: var(--soft); font-size: 1.1rem; }
.verdict strong { display: block; letter-spacing: .03em; }
.good { border-color: var(--good); } .good strong { color: var(--good); }
.bad { border-color: var(--bad); } .bad strong { color: var(--bad); }
.caution { border-color: var(--caution); } .caution strong { color: var(--caution); }
.note { border-color: var(--note); } .note strong { color: var(--note); }
.none { border-color: var(--none); } .none strong { color: var(--none); }
dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .25rem 1rem; margin: .5rem 0; }
dt { color: var(--none); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .5rem;
  border-bottom: 1px solid var(--line); }
p, li, td bdi { overflow-wrap: anywhere; } td bdi { display: inline-block; min-width: 9rem; }
.scroll { overflow-x: auto; }
a { color: var(--note); } figure { margin: 1rem 0; } img { max-width: 100%; max-height: 20rem; }
svg { display: block; width: 100%; height: 1.5rem; border: 1px solid var(--line); }
.marked { fill: var(--good); } .bare { fill: none; }
summary { cursor: pointer; } .small, figcaption, footer { font-size: .875rem; }
@media print { details > * { display: block; } }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1>{about}</header>
<main>
{body}
</main>
<footer><p>{foot}</p></footer>
</body>
</html>
"""


def render_page(title: str, body: str, foot: str, *, about: str = "", style: str = "") -> str:
    """A whole page. *title* and *about* are plain text; *body* and *foot* are HTML; *style* is more CSS."""
    said = f"<p>{escape(about)}</p>" if about else ""
    return _PAGE.format(title=escape(title), style=_STYLE + style, about=said, body=body, foot=foot)


def scrolling(label: str, table: str) -> str:
    """*table* (HTML) in a box that scrolls where the page is too narrow for its words; reachable by keyboard.

    Words in cells stay whole. What comes from a file and may be one long word stands in a ``bdi``: it breaks.
    """
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">{table}</div>'


def escape(value: object) -> str:
    """*value* as HTML text: escaped, cut, with hidden and direction-changing characters made visible."""
    return html.escape(one_line(value), quote=True)
