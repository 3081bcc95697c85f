"""HTML by calls: text is escaped unless it was made here."""

from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: object) -> Html:
    """An element. `class_` is the attribute `class`, other underscores are hyphens; None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: str) -> Html:
    """One after the other."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in content))
