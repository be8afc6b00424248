"""EchoRequest and EchoReply of echo.proto by hand, so that Python needs no generated code."""

from dataclasses import dataclass

REQUEST_FIELDS = {1: "text", 2: "payload", 3: "repeat", 4: "fail_with", 5: "sleep_ms", 6: "reply_size", 7: "count_cancelled", 8: "crash"}
REPLY_FIELDS = {1: "text", 2: "payload", 3: "index"}


@dataclass
class Message:
    text: str = ""
    payload: bytes = b""
    repeat: int = 0
    fail_with: int = 0
    sleep_ms: int = 0
    reply_size: int = 0
    count_cancelled: int = 0
    crash: int = 0
    index: int = 0


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7


def _encode(message, fields):
    out = bytearray()
    for number, name in fields.items():
        value = getattr(message, name)
        if not value:
            continue
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += _varint(number << 3 | 2) + _varint(len(value)) + value
        else:
            out += _varint(number << 3) + _varint(value)
    return bytes(out)


def _decode(data, fields):
    message, at = Message(), 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        name = fields[tag >> 3]
        if tag & 7 == 2:
            length, at = _read_varint(data, at)
            value = data[at : at + length]
            setattr(message, name, value.decode() if name == "text" else value)
            at += length
        else:
            value, at = _read_varint(data, at)
            setattr(message, name, value)
    return message


def encode_request(message):
    return _encode(message, REQUEST_FIELDS)


def decode_request(data):
    return _decode(data, REQUEST_FIELDS)


def encode_reply(message):
    return _encode(message, REPLY_FIELDS)


def decode_reply(data):
    return _decode(data, REPLY_FIELDS)
