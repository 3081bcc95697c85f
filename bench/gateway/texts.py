"""What is asked and answered: the upstream makes these answers, the load generator checks them.

Every request has a tag of its own in its prompt, and the answer begins with it. So no two prompts are equal, and an
answer that belongs to another request, or lacks a word, is noticed. The tag is of letters: digits could be taken for a
telephone number by whoever looks for such.
"""

import msgspec

TAG_LETTERS = 8
WORDS = ("The quick brown fox jumps over a lazy dog. " * 7).split()
"""What follows the tag in each answer: 63 words, so 64 with it."""
PACE_SECONDS = 0.005
"""From one word to the next in a paced stream."""

_LETTERS = str.maketrans("0123456789", "abcdefghij")


def tag(number: int) -> str:
    """A word of eight letters, another one for each number below 10**8."""
    return f"{number:0{TAG_LETTERS}d}".translate(_LETTERS)


def tag_in(prompt: str) -> str:
    """The tag of the request with this prompt."""
    return prompt[:TAG_LETTERS]


def answer(its_tag: str) -> str:
    """The whole text of the answer to the request with this tag."""
    return " ".join((its_tag, *WORDS))


def request_body(model: str, its_tag: str, *, stream: bool) -> bytes:
    """The body of a request; its length depends on `model` and `stream` only, and is 235 bytes for a plain "stub"."""
    prompt = f"{its_tag}: write a short note about the quick fox, and say why it jumps over the dog."
    messages = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": prompt}]
    body = {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": 64}
    return msgspec.json.encode(body | {"stream": True} if stream else body)
