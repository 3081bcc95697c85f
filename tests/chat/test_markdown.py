"""Prices stay prices, formulas become formulas, foreign images become links, code stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.chat.markdown import for_the_page


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It costs $5 today and $10 tomorrow.", r"It costs \$5 today and \$10 tomorrow."),
        ("From $5 to $10$", r"From \$5 to $10$"),
        ("$x^2$ is a square", "$x^2$ is a square"),
        ("A price of $5 and $x$.", r"A price of \$5 and $x$."),
        (r"so \(a+b\) and \[c\]", "so $a+b$ and $$c$$"),
        ("$$\na\n$$", "$$\na\n$$"),
        ("`$5 and $6`, $7", r"`$5 and $6`, \$7"),
        ("```sh\necho $HOME $PATH\n```\n$5", "```sh\necho $HOME $PATH\n```\n" + r"\$5"),
        ("```sh\necho $HOME", "```sh\necho $HOME"),
        (r"already \$5", r"already \$5"),
        ("no math here", "no math here"),
        ("US$ 5 and US$ 6", r"US\$ 5 and US\$ 6"),
        ("![a](https://evil.example/x) ![b][r] ![c]", "[a](https://evil.example/x) [b][r] [c]"),
        ("![dot](data:image/png;base64,AAAA)", "![dot](data:image/png;base64,AAAA)"),
        ("`![a](b)` wow! [x](y)", "`![a](b)` wow! [x](y)"),
    ],
)
def test_each_part_becomes_what_the_page_needs(written: str, shown: str) -> None:
    """A formula, by pandoc's rule, has no space inside its dollars and no digit behind them."""
    assert for_the_page(written) == shown


@given(st.text(alphabet="$\\()[]`ab1 \n~", max_size=60))
def test_nothing_but_marks_is_changed(text: str) -> None:
    """Letters, digits, spaces and lines come out as they went in."""

    def plain(value: str) -> str:
        return "".join(char for char in value if char in "ab1\n`~")

    assert plain(for_the_page(text)) == plain(text)
