r"""A model's Markdown as the page's renderer needs it. Stored text is left as the model wrote it.

The page (remark-math) takes every pair of `$` for a formula, so "$5 today and $10 tomorrow" would come out as
mathematics; and it does not know `\(…\)` and `\[…\]`, which most models write. An image from elsewhere would be a
request that carries words away: the page's CSP blocks it, and a link is of more use than its broken picture.
"""

import re

PARTS = re.compile(
    r"""
    # nothing in code is touched
    (?P<code> (?P<fence>`{3,}|~{3,}) .*? (?:(?P=fence)|\Z) | (?P<ticks>`+) [^\n]*? (?P=ticks) )
  | (?P<block> \$\$ .+? \$\$ )
  | \\\[ (?P<bracket> .+? ) \\\]
  | \\\( (?P<parenthesis> [^\n]+? ) \\\)
  | (?P<inline> (?<![\\$]) \$ (?! [\s$]) [^\n$]{1,500}? (?<! [\s\\]) \$ (?! [\d$]) )  # pandoc's rule for a formula
  | (?P<escaped> \\. )
  | (?P<image> ! (?= \[) (?! \[ [^\]\n]* \] \( \s* data:image/ ) )
  | (?P<dollar> \$ )
    """,
    re.VERBOSE | re.DOTALL,
)
"""The rule for `inline` (no space inside the dollars, no digit behind the closing one) is that of pandoc's
extension tex_math_dollars, https://pandoc.org/MANUAL.html#math."""


MARKS = re.compile(r"[$\\]|!\[")
"""Without one of these there is nothing to do."""


def for_the_page(markdown: str) -> str:
    """Formulas between dollars, other dollars escaped, images from elsewhere as links."""
    if not MARKS.search(markdown):
        return markdown
    return PARTS.sub(rewritten, markdown)


def rewritten(part: re.Match[str]) -> str:
    """One part as the renderer needs it."""
    if part["bracket"] is not None:
        return f"$${part['bracket']}$$"
    if part["parenthesis"] is not None:
        return f"${part['parenthesis'].strip()}$"
    if part["image"] is not None:
        return ""
    if part["dollar"] is not None:
        return r"\$"
    return part[0]
