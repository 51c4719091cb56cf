"""Digests by the three algorithms; hashlib has no BLAKE3, so that one is written out here, slowly, for small blobs."""

from __future__ import annotations

import hashlib
from functools import lru_cache

ALGORITHMS = ("sha256", "sha512", "blake3")

_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_LANES = tuple((*lane, 2 * place, 2 * place + 1) for place, lane in enumerate(_COLUMNS + _DIAGONALS))
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_CHUNK, _BLOCK = 1024, 64
_MASK = 0xFFFFFFFF

Words = tuple[int, ...]


@lru_cache(maxsize=512)
def digest(data: bytes, algorithm: str = "sha256") -> str:
    """`algorithm:encoded` of `data`."""
    if algorithm == "blake3":
        return f"blake3:{blake3(data).hex()}"
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def blake3(data: bytes) -> bytes:
    """The 32 bytes of BLAKE3 (the BLAKE3 paper, section 2), about 300 KB a second."""
    return b"".join(word.to_bytes(4, "little") for word in _subtree(data, 0, _ROOT))


def _subtree(data: bytes, chunk: int, root: int) -> Words:
    """The chaining value of `data`, whose first chunk has this number: the left side is the largest full tree."""
    if len(data) <= _CHUNK:
        return _chunk(data, chunk, root)
    chunks = -(-len(data) // _CHUNK)
    left = 1 << ((chunks - 1).bit_length() - 1)
    cut = left * _CHUNK
    message = _subtree(data[:cut], chunk, 0) + _subtree(data[cut:], chunk + left, 0)
    return _compress(_IV, message, 0, _BLOCK, _PARENT | root)


def _chunk(data: bytes, number: int, root: int) -> Words:
    """The chaining value of at most 1024 bytes: its blocks, one after the other."""
    value: Words = _IV
    starts = range(0, max(len(data), 1), _BLOCK)
    for start in starts:
        block = data[start : start + _BLOCK]
        flags = (_CHUNK_START if start == 0 else 0) | (_CHUNK_END | root if start == starts[-1] else 0)
        padded = block.ljust(_BLOCK, b"\0")
        message = tuple(int.from_bytes(padded[at : at + 4], "little") for at in range(0, _BLOCK, 4))
        value = _compress(value, message, number, len(block), flags)
    return value


def _compress(value: Words, message: Words, counter: int, length: int, flags: int) -> Words:
    """The compression function, cut to a chaining value: seven rounds over sixteen words."""
    state = [*value, *_IV[:4], counter & _MASK, counter >> 32, length, flags]
    for _ in range(7):
        for a, b, c, d, x, y in _LANES:
            _mix(state, a, b, c, d, message[x])
            _mix(state, a, b, c, d, message[y], 8, 7)
        message = tuple(message[place] for place in _PERMUTATION)
    return tuple(state[place] ^ state[place + 8] for place in range(8))


def _mix(state: list[int], a: int, b: int, c: int, d: int, word: int, first: int = 16, second: int = 12) -> None:
    """Half of the quarter round, with these two rotations."""
    state[a] = (state[a] + state[b] + word) & _MASK
    state[d] = _rotated(state[d] ^ state[a], first)
    state[c] = (state[c] + state[d]) & _MASK
    state[b] = _rotated(state[b] ^ state[c], second)


def _rotated(word: int, count: int) -> int:
    return (word >> count | word << (32 - count)) & _MASK
