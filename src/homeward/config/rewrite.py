"""A table of a `homeward.toml` changed as a careful person would: what need not change stays as it was written.

Comments on lines of their own stay. So does the remark behind a value that changes; one behind a value that goes, goes
with it, as do the comments within an element of an array that goes, and those directly above it.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from homeward.config.document import Keys, Leaves, Section, Statement, leaves, pair, sections_of

Values = Mapping[str, Any]


def with_table(text: str, name: str, wanted: Values, default: Values, elements: Mapping[str, Values]) -> str:
    """A valid text in which the top-level table of this name says what is wanted, and nothing else is changed.

    `wanted` leaves out what is as in `default`; where the text says that already, it may go on doing so. `elements`
    are the arrays of tables in it, with the defaults of their elements, which have a `name`.
    """
    sections = sections_of(text if text.endswith("\n") or not text else f"{text}\n")
    said = tomllib.loads(text).get(name, {})
    root = sections[0]
    # `name.key = …` above all headers would be in the way of a header of this name.
    root.statements = [each for each in root.statements if not each.key or each.path[0] != name]
    plain, usual = dict(wanted), dict(default)
    for key, default_of_element in elements.items():
        if not is_inline(sections, (name, key)) or said[key] != wanted.get(key):
            usual.pop(key)
            settle_elements(sections, (name, key), plain.pop(key, ()), leaves(default_of_element))
    arrays = {(name, key) for key in elements}
    own = [each for each in sections if each.keys[:1] == (name,) and each.keys[:2] not in arrays]
    if left := settle(own, (name,), leaves(plain), leaves(usual)):
        place = next((place for place, each in enumerate(sections) if each.keys[:1] == (name,)), len(sections))
        new = [Statement(f"[{name}]\n"), *(pair(path, value) for path, value in left.items())]
        insert(sections, place, [Section(new)])
    return "".join(map(str, sections))


def is_inline(sections: Sequence[Section], path: Keys) -> bool:
    """Whether an array stands as a value in its table."""
    table = [section for section in sections if section.keys == path[:-1]]
    return any(each.key and each.path == path[-1:] for section in table for each in section.statements)


def settle(own: Sequence[Section], base: Keys, wanted: Leaves, default: Leaves) -> Leaves:
    """Let the sections of a table say what is wanted; what there is no section for is returned."""
    left = dict(wanted)
    for section in own:
        inner = section.keys[len(base) :]
        section.statements = [each for old in section.statements for each in settled(old, inner, left, default)]
    homeless: Leaves = {}
    for path, value in left.items():
        whole = (*base, *path)
        homes = [section for section in own if section.keys == whole[: len(section.keys)] != whole]
        if homes:
            home = max(homes, key=lambda section: len(section.keys))
            home.statements.append(pair(whole[len(home.keys) :], value))
        else:
            homeless[path] = value
    for section in own:
        if not section.has_values:
            section.statements = section.comments()
    return homeless


def settled(old: Statement, inner: Keys, left: Leaves, default: Leaves) -> Iterator[Statement]:
    """What a statement becomes; what it says of what is `left` to be said is taken from there."""
    at = (*inner, *old.path) if old.key else ()
    told = {(*inner, *path): value for path, value in old.leaves().items()}
    lacking = {path for path in left if path[: len(at)] == at and path not in told}  # {braces} can't be added to
    if not old.key or (not lacking and all(left.get(each, default.get(each)) == told[each] for each in told)):
        for path in told:
            left.pop(path, None)
        yield old
    elif at in told and at in left:
        yield from old.with_value(left.pop(at))


def settle_elements(sections: list[Section], base: Keys, wanted: Sequence[Values], default: Leaves) -> None:
    """Let an array of tables say what is wanted; elements that go on, go on as they were written."""
    spans = spans_of(sections, base)
    old = [sections[first:end] for first, end in spans]
    new = matched(old, wanted)
    stays = [any(group is each for each in new) for group in old]
    slots = sum(stays)
    for number, values in enumerate(wanted):
        new[number] = new[number] or [Section([Statement(f"[[{'.'.join(base)}]]\n")])]
        settle(new[number], base, leaves(values), default)
    place = max((at for at, each in enumerate(sections, 1) if each.keys[:1] == base[:1]), default=len(sections))
    for group in reversed(new[slots:]):
        insert(sections, place, group)
    for (first, end), stay in reversed(list(zip(spans, stays, strict=True))):
        if stay:
            slots -= 1
            sections[first:end] = new[slots]
        else:
            remove(sections, first, end)


def spans_of(sections: Sequence[Section], base: Keys) -> list[tuple[int, int]]:
    """Where each element of an array begins, and where it ends with the tables in it."""
    spans: list[tuple[int, int]] = []
    for place, section in enumerate(sections):
        if section.keys == base:
            spans.append((place, place + 1))
        elif section.keys[: len(base)] == base:
            spans[-1] = (spans[-1][0], place + 1)
    return spans


def matched(old: Sequence[list[Section]], wanted: Sequence[Values]) -> list[list[Section]]:
    """For each wanted element the old one of its name, or else the one in its place; an empty one where there is none.

    An old one is taken once.
    """
    free = dict(enumerate(old))
    found: list[list[Section]] = [[] for _ in wanted]
    for number, values in enumerate(wanted):
        named = [each for each, group in free.items() if name_of(group) == values["name"]]
        if named:
            found[number] = free.pop(named[0])
    for number, group in enumerate(found):
        if not group:
            found[number] = free.pop(number, [])
    return found


def name_of(element: Sequence[Section]) -> object:
    """What an element is called."""
    told = (statement.leaves() for statement in element[0].statements)
    return next((leaves[("name",)] for leaves in told if ("name",) in leaves), None)


def remove(sections: list[Section], first: int, end: int) -> None:
    """Take sections out, with the blank lines below them."""
    below = sections[end].statements
    while below and below[0].is_blank:
        del below[0]
    del sections[first:end]


def insert(sections: list[Section], place: int, new: Sequence[Section]) -> None:
    """Put sections between others, with blank lines around them."""
    blank = Section([Statement("\n")])
    before, after = "".join(map(str, sections[:place])), "".join(map(str, sections[place:]))
    above = [blank] if before and not before.endswith("\n\n") else []
    below = [blank] if after and not after.startswith("\n") else []
    sections[place:place] = [*above, *new, *below]
