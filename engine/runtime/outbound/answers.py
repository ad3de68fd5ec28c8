"""From the bytes of an answer to what a run gets: unpacked, bounded, and readable whatever they are."""

import codecs
import re
import zlib
from collections.abc import AsyncIterable
from typing import Final

import httpcore
import msgspec

from engine.model.values import LARGEST_INTEGER, Json
from engine.runtime.outbound.port import MOST_ANSWER_HEADER_BYTES, MOST_BYTES, REFUSED, RESPONSE_SIZE, Answer, SendFailed

_MOST_CHUNKS: Final = 8_192
"""Pieces of one body: each costs us more than its sender."""
_CHARSETS: Final = re.compile(
    r"utf-?(8|16|32)([-_]?[lb]e)?|us-ascii|ascii|latin-?1|iso-?8859-\d{1,2}|(windows-|cp)(125[0-8]|874|932|936|949|950)"
    r"|koi8-[ru]|gb2312|gbk|gb18030|big5|shift_jis|euc-(jp|kr)|iso-2022-jp",
    re.IGNORECASE | re.ASCII,
)
"""What a charset may be; Python knows others that are no charsets, and some that take quadratic time."""
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_-]{1,40})""", re.IGNORECASE)
_ZLIB_HEADER: Final = 2
_BROKEN: Final = "\ufffd"
"""Stands for what is no character; NUL is taken for none, since it is what marks a callback's place in a run's own texts."""
_LONG_NUMBER: Final = re.compile(r"\d{19}")
"""Stands in every text with a whole number beyond that."""
_NO_COOKIES: Final = frozenset({"set-cookie", "set-cookie2"})


def read_headers(response: httpcore.Response) -> dict[str, str]:
    """The answer's headers by name in small letters; raises SendFailed (`http.response_size`)."""
    if sum(len(name) + len(value) for name, value in response.headers) > MOST_ANSWER_HEADER_BYTES:
        raise SendFailed(RESPONSE_SIZE, "The headers of the answer are larger than 32 KiB.")
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        if name not in _NO_COOKIES:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def read_answer(response: httpcore.Response, headers: dict[str, str]) -> Answer:
    """The whole answer; raises SendFailed: `http.response_size` (with what is known of it) or `http.refused`."""
    try:
        body = await _read_body(response, _unpacker(headers.get("content-encoding", "")))
    except SendFailed as failure:
        if failure.code != RESPONSE_SIZE:
            raise
        known = Answer(status=response.status, headers=headers)
        raise SendFailed(RESPONSE_SIZE, failure.message, answer=known) from None
    text = body.decode(_charset(headers.get("content-type", "")), "replace").removeprefix("\ufeff").replace("\0", _BROKEN)
    return Answer(status=response.status, headers=headers, json=_json(text), text=text)


async def _read_body(response: httpcore.Response, unpacker: "_Plain | _Packed") -> bytes:
    body, chunks = bytearray(), 0
    assert isinstance(response.stream, AsyncIterable)  # noqa: S101 - the library's type holds its blocking twin too
    async for chunk in response.stream:
        chunks += 1
        body += unpacker.unpack(chunk, MOST_BYTES + 1 - len(body))
        if len(body) > MOST_BYTES or chunks > _MOST_CHUNKS:
            raise SendFailed(RESPONSE_SIZE, "The body of the answer is larger than 256 KiB.")
    unpacker.finish()
    return bytes(body)


class _Plain:
    """A body that is not packed."""

    def unpack(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]

    def finish(self) -> None:
        pass


class _Packed:
    """A body in gzip (any number of members) or deflate (with or without its header)."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16) if gzip else None
        self._start = b""

    def unpack(self, chunk: bytes, most: int) -> bytes:
        """At most so many bytes more, `most` being 1 or more; what goes beyond is not unpacked, let alone kept."""
        if self._stream is None:
            chunk = self._start = self._start + chunk
            if len(chunk) < _ZLIB_HEADER:
                return b""
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if _is_zlib(chunk) else -zlib.MAX_WBITS)
        unpacked = bytearray()
        try:
            while chunk and len(unpacked) < most:
                if self._stream.eof:
                    if not self._gzip or not chunk.startswith(b"\x1f"):
                        break  # padding behind the end
                    self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
                unpacked += self._stream.decompress(chunk, most - len(unpacked))
                self._start = b"begun"
                chunk = self._stream.unused_data
        except zlib.error:
            raise SendFailed(REFUSED, "The body of the answer cannot be unpacked.", passing=True) from None
        return bytes(unpacked)

    def finish(self) -> None:
        if self._start and (self._stream is None or not self._stream.eof):
            raise SendFailed(REFUSED, "The body of the answer ends too early.", passing=True)


def _is_zlib(start: bytes) -> bool:
    """Whether a deflated body has zlib's header, as it should; many a server sends it bare."""
    return start[0] & 0x0F == zlib.DEFLATED and int.from_bytes(start[:_ZLIB_HEADER]) % 31 == 0


def _unpacker(encoding: str) -> _Plain | _Packed:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Packed(gzip=True)
        case "deflate":
            return _Packed(gzip=False)
        case _:
            raise SendFailed(REFUSED, "The body of the answer is packed in a way that was not offered.")


def _charset(kind: str) -> str:
    found = _CHARSET.search(kind)
    if found is None or not _CHARSETS.fullmatch(found[1]):
        return "utf-8"
    try:
        return codecs.lookup(found[1]).name
    except LookupError:
        return "utf-8"


def _json(text: str) -> Json:
    try:
        value = msgspec.json.decode(text)
        if "\\u0000" in text or _LONG_NUMBER.search(text):
            value = _storable(value)
        msgspec.msgpack.encode(value)  # as it is stored
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None
    return value


def _storable(value: Json) -> Json:
    """Without NUL, and whole numbers that are too large for one as the nearest of the others."""
    match value:
        case str():
            return value.replace("\0", _BROKEN)
        case int() if abs(value) > LARGEST_INTEGER:
            return float(value)
        case dict():
            return {name.replace("\0", _BROKEN): _storable(inner) for name, inner in value.items()}
        case list():
            return [_storable(inner) for inner in value]
        case _:
            return value
