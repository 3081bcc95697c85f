"""Finding conversations by their names and by what was said in them.

Each word of a query must occur somewhere in the same name or message, in any case, and as any part of it:
Korean glues particles to its words and Chinese has no spaces, so an index of whole words (SQLite's
`unicode61`, PostgreSQL's `tsvector`) would miss most of what people look for.

SQLite: FTS5 with the trigram tokenizer finds parts of three characters or more by its index. Shorter ones,
many a Korean noun among them, have no trigram: for these the messages are read, 50 ms for 10,000 of them.
PostgreSQL: ILIKE, with a pg_trgm index where that extension may be had; the result is the same without it.

Only finished messages are looked at, so that a growing answer is not indexed anew with each checkpoint. The
indexes cover the first 100,000 characters of a message, since 10 MB would hold the write lock for five seconds.
"""

import itertools
import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Integer, Text, and_, column, func, or_, select, table, text

from homeward.history.incoming import storable_text
from homeward.history.tables import steps, threads

_SEARCHABLE = text("steps.kind IN ('user', 'assistant', 'system') AND steps.status <> 'streaming'")
"""Literally as in the index's condition: PostgreSQL does not compare conditions that hold parameters."""
_index = table("search", column("rowid", Integer), column("text", Text))

_QUERY_LIMIT = 200
_WORDS_LIMIT = 8


def words_of(query: str) -> list[str]:
    """The words to look for; an overlong query is cut."""
    return storable_text(query[:_QUERY_LIMIT]).split()[:_WORDS_LIMIT]


def matching(words: list[str], dialect: str) -> ColumnElement[bool]:
    """The condition on `threads` that its name, or one of its messages, holds all `words`."""
    if dialect == "sqlite":
        in_name = [func.instr(func.folded(threads.c.name), word.lower()) > 0 for word in words]
        in_message = _in_message_by_trigrams(words)
    else:
        in_name = [threads.c.name.ilike(_pattern(word), escape="\\") for word in words]
        shown = func.left(steps.c.text, text("100000"))
        in_message = [shown.ilike(_pattern(word), escape="\\") for word in words]
    messages = select(steps.c.thread_id).where(_SEARCHABLE, *in_message)
    return or_(and_(*in_name), threads.c.id.in_(messages))


def _in_message_by_trigrams(words: Iterable[str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    phrases = ['"' + word.replace('"', '""') + '"' for word in words if len(word) >= 3]
    if phrases:
        found = select(_index.c.rowid).where(_index.c.text.op("MATCH")(" AND ".join(phrases)))
        conditions.append(steps.c.seq.in_(found))
    return conditions + [_holds(word) for word in words if len(word) < 3]


def _holds(word: str) -> ColumnElement[bool]:
    """The condition that a message holds a short word; LIKE knows the upper and lower case of ASCII only."""
    if word.isascii():
        return steps.c.text.like(_pattern(word), escape="\\")
    letters = [{letter, letter.lower(), letter.upper()} for letter in word]
    spellings = sorted({"".join(mix) for mix in itertools.product(*letters)})
    return or_(*(func.instr(steps.c.text, spelling) > 0 for spelling in spellings))


def _pattern(word: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
