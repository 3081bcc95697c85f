r"""Whether each match of one expression holds a match of another one: decided for all texts, on their automata.

Both are built from Python's parse of the expression, with RE2's meaning of `\s`, `\w`, `.` and `(?i)`. Characters that
neither can tell apart count as one. A border between words is a sign of its own: where the hint asks for one, the
expression has to ask for one too. That a match ends with the text is not asked for: then there are more of them.
"""

import importlib
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

_parser: Any = importlib.import_module("re._parser")
_constants: Any = importlib.import_module("re._constants")

_BORDER = "border"
_ASCII = frozenset(map(chr, range(128)))
_CATEGORIES = {
    _constants.CATEGORY_SPACE: frozenset("\t\n\f\r "),
    _constants.CATEGORY_DIGIT: frozenset("0123456789"),
    _constants.CATEGORY_WORD: frozenset(c for c in _ASCII if c.isalnum() or c == "_"),
}
_FOLDED_ELSEWHERE = "\u212a\u017f"
"""The Kelvin sign and the long s, which are a `k` and an `s` where case does not matter."""

Symbols = frozenset[str]


class Automaton:
    """One expression. State 0 is where it has matched."""

    def __init__(self, expression: str, characters: Symbols) -> None:
        self._characters = characters
        self.silent: list[list[int]] = [[]]
        self.steps: list[list[tuple[Symbols, int]]] = [[]]
        tree = _parsed(expression)
        self.start = self._sequence(tree, 0, tree.state.flags)

    def reached(self, states: Iterable[int]) -> frozenset[int]:
        """These, and all that can be reached from them without a character."""
        seen = set(states)
        open_states = list(seen)
        while open_states:
            for state in self.silent[open_states.pop()]:
                if state not in seen:
                    seen.add(state)
                    open_states.append(state)
        return frozenset(seen)

    def after(self, states: Iterable[int], symbol: str) -> frozenset[int]:
        """Where a symbol leads from these."""
        return self.reached(target for state in states for symbols, target in self.steps[state] if symbol in symbols)

    def _state(self, silent: list[int], steps: list[tuple[Symbols, int]]) -> int:
        self.silent.append(silent)
        self.steps.append(steps)
        return len(self.silent) - 1

    def _sequence(self, nodes: Any, then: int, flags: int) -> int:
        for operation, argument in reversed(list(nodes)):
            then = self._node(operation, argument, then, flags)
        return then

    def _node(self, operation: Any, argument: Any, then: int, flags: int) -> int:
        match operation:
            case _constants.SUBPATTERN:
                _, added, removed, nodes = argument
                return self._sequence(nodes, then, (flags | added) & ~removed)
            case _constants.BRANCH:
                return self._state([self._sequence(nodes, then, flags) for nodes in argument[1]], [])
            case _constants.MAX_REPEAT | _constants.MIN_REPEAT:
                return self._repeated(argument, then, flags)
            case _constants.AT if argument == _constants.AT_BOUNDARY:
                return self._state([], [(frozenset({_BORDER}), then)])
            case _constants.AT:
                raise ValueError
        return self._state([], [(_members(operation, argument, flags, self._characters), then)])

    def _repeated(self, argument: tuple[int, Any, Any], then: int, flags: int) -> int:
        least, most, nodes = argument
        if most is _constants.MAXREPEAT:
            entry = self._state([then], [])
            self.silent[entry].append(self._sequence(nodes, entry, flags))
        else:
            entry = then
            for _ in range(most - least):
                entry = self._state([then, self._sequence(nodes, entry, flags)], [])
        for _ in range(least):
            entry = self._sequence(nodes, entry, flags)
        return entry


def match_without(expression: str, hint: str) -> str | None:
    """A match of the expression in which the hint does not match; None where there is no such text."""
    characters = _characters(expression, hint)
    whole, part = Automaton(expression, characters), Automaton(hint, characters)
    alphabet = [*_representatives(characters, whole, part), _BORDER]

    @cache
    def goes_on(inside: frozenset[int], symbol: str) -> frozenset[int]:
        stay = inside if symbol == _BORDER else {part.start}
        return part.reached([*part.after(inside, symbol), *stay])

    looked_at: dict[int, list[frozenset[int]]] = {}
    queue = deque([(whole.start, part.reached([part.start]), "")])
    while queue:
        state, inside, text = queue.popleft()
        worse = looked_at.setdefault(state, [])
        if 0 in inside or any(other <= inside for other in worse):
            continue
        if state == 0:
            return text
        worse.append(inside)
        queue.extend((silent, inside, text) for silent in whole.silent[state])
        for symbols, target in whole.steps[state]:
            for symbol in symbols.intersection(alphabet):
                queue.append((target, goes_on(inside, symbol), text + symbol.removeprefix(_BORDER)))
    return None


def _parsed(expression: str) -> Any:
    return _parser.parse(expression.replace(r"\z", ""))


def _members(operation: Any, argument: Any, flags: int, characters: Symbols) -> Symbols:
    """The characters that one place of an expression takes."""
    if operation == _constants.ANY:
        return characters if flags & _constants.SRE_FLAG_DOTALL else characters - {"\n"}
    members: set[str] = set()
    negated = operation == _constants.NOT_LITERAL
    for kind, value in argument if operation == _constants.IN else [(_constants.LITERAL, argument)]:
        match kind:
            case _constants.NEGATE:
                negated = True
            case _constants.LITERAL:
                members.add(chr(value))
            case _constants.RANGE:
                members.update(c for c in characters if value[0] <= ord(c) <= value[1])
            case _constants.CATEGORY:
                members |= _CATEGORIES[value]
    if flags & _constants.SRE_FLAG_IGNORECASE:
        folded = {member.casefold() for member in members}
        members = {c for c in characters if c.casefold() in folded}
    return characters - members if negated else frozenset(members)


def _characters(*expressions: str) -> Symbols:
    """All that an expression may tell from others: ASCII, what it names, and what stands beside that."""
    named = {c for expression in expressions for node in _leaves(_parsed(expression)) for c in _named(node)}
    cases = {c for name in named for c in (name.lower(), name.upper()) if len(c) == 1}
    return frozenset(_ASCII | named | cases | set(_FOLDED_ELSEWHERE))


def _named(node: Any) -> Iterator[str]:
    operation, argument = node
    for number in argument if operation == _constants.RANGE else [argument]:
        yield from (chr(number + beside) for beside in (-1, 0, 1) if 0 <= number + beside <= 0x10FFFF)


def _leaves(nodes: Any) -> Iterator[Any]:
    for operation, argument in nodes:
        match operation:
            case _constants.LITERAL | _constants.NOT_LITERAL | _constants.RANGE:
                yield operation, argument
            case _constants.IN:
                yield from _leaves(argument)
            case _constants.SUBPATTERN:
                yield from _leaves(argument[3])
            case _constants.BRANCH:
                for branch in argument[1]:
                    yield from _leaves(branch)
            case _constants.MAX_REPEAT | _constants.MIN_REPEAT:
                yield from _leaves(argument[2])


def _representatives(characters: Symbols, *automata: Automaton) -> list[str]:
    """One of each group of characters that none of the automata tells apart."""
    sets = {symbols for automaton in automata for steps in automaton.steps for symbols, _ in steps}
    ordered = list(sets)
    by_places = {tuple(c in symbols for symbols in ordered): c for c in sorted(characters)}
    return list(by_places.values())
