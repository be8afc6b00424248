"""usage: python3 grpcio_client.py HOST:PORT COMPRESSING_HOST:PORT [ROOT_CERTIFICATE]"""

import sys
import time

import grpc
from echo_messages import Message, decode_reply, encode_request

MIB = 1024 * 1024
SERVICE = "/cmvc.grpc.test.v1.Echo/"


class Client:
    def __init__(self, address=sys.argv[1], **channel):
        options = [("grpc.enable_http_proxy", 0)]
        if len(sys.argv) > 3:
            with open(sys.argv[3], "rb") as root:
                self.channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(root.read()), options, **channel)
        else:
            self.channel = grpc.insecure_channel(address, options, **channel)
        coders = {"request_serializer": encode_request, "response_deserializer": decode_reply}
        self.unary = self.channel.unary_unary(SERVICE + "Unary", **coders)
        self.collect = self.channel.stream_unary(SERVICE + "Collect", **coders)
        self.expand = self.channel.unary_stream(SERVICE + "Expand", **coders)
        self.chat = self.channel.stream_stream(SERVICE + "Chat", **coders)
        self.coders = coders


client = Client()


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def failure(call, *arguments, **options):
    try:
        call(*arguments, timeout=options.pop("timeout", 10), **options)
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call did not fail")


def unary():
    response = client.unary(Message(text="grüß", payload=b"\x00\x01\xff"), timeout=10)
    equal((response.text, response.payload), ("grüß", b"\x00\x01\xff"))


def client_streaming():
    response = client.collect(iter([Message(text=t, payload=bytes(10)) for t in "abc"]), timeout=10)
    equal((response.text, response.index), ("abc", 30))


def server_streaming():
    equal([r.index for r in client.expand(Message(text="x", repeat=20), timeout=10)], list(range(20)))


def server_streaming_empty():
    equal(list(client.expand(Message(text="x"), timeout=10)), [])


def duplex_ping_pong():
    got = []

    def requests():
        for i in range(10):
            while len(got) < i:
                time.sleep(0.001)
            yield Message(text=f"m{i}")

    for response in client.chat(requests(), timeout=10):
        got.append(response.text)
    equal(got, [f"m{i}" for i in range(10)])


def status_and_trailers():
    error = failure(client.unary, Message(fail_with=9, text="not ready: 100 % Ü\n"), metadata=[("x-echo-bin", b"\x09\x08")])
    equal((error.code(), error.details()), (grpc.StatusCode.FAILED_PRECONDITION, "not ready: 100 % Ü\n"))
    trailers = dict(error.trailing_metadata())
    equal((trailers["x-why"], trailers["x-echo-bin"]), ("asked", b"\x09\x08"))


def status_after_messages():
    call, got = client.expand(Message(text="late", repeat=3, fail_with=10), timeout=10), []
    error = failure(lambda timeout: got.extend(iter(lambda: next(call), None)))
    equal((error.code(), error.details(), len(got)), (grpc.StatusCode.ABORTED, "late", 3))


def crash():
    equal(failure(client.unary, Message(crash=1)).code(), grpc.StatusCode.UNKNOWN)


def metadata():
    _, call = client.unary.with_call(Message(text="x"), timeout=10, metadata=[("x-echo", "one"), ("x-echo-bin", b"\x00\xff\x01")])
    equal(dict(call.initial_metadata())["x-echo"], "one")
    equal(dict(call.trailing_metadata())["x-echo-bin"], b"\x00\xff\x01")


def unimplemented_method():
    for name in (SERVICE + "Nothing", "/cmvc.grpc.test.v1.Nobody/Unary"):
        equal(failure(client.channel.unary_unary(name, **client.coders), Message()).code(), grpc.StatusCode.UNIMPLEMENTED)


def deadline():
    equal(failure(client.unary, Message(sleep_ms=20000), timeout=0.2).code(), grpc.StatusCode.DEADLINE_EXCEEDED)


def cancellation():
    before = client.unary(Message(count_cancelled=1), timeout=10).index
    call = client.unary.future(Message(sleep_ms=20000), timeout=15)
    time.sleep(0.2)
    call.cancel()
    equal(call.code(), grpc.StatusCode.CANCELLED)
    for _ in range(100):
        if client.unary(Message(count_cancelled=1), timeout=10).index > before:
            return
        time.sleep(0.05)
    raise AssertionError("the server has not noticed the cancellation")


def large_message():
    payload = bytes([5]) * (3 * MIB)
    equal(client.unary(Message(payload=payload), timeout=10).payload == payload, True)


def oversized_request():
    equal(failure(client.unary, Message(payload=bytes(5 * MIB))).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)


def oversized_response():
    equal(failure(client.unary, Message(reply_size=5 * MIB)).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)


def gzip():
    zipping = Client(sys.argv[2], compression=grpc.Compression.Gzip)
    response = zipping.unary(Message(text="z", payload=bytes([3]) * 100000), timeout=10)
    equal(response.payload, bytes([3]) * 100000)


def unknown_encoding():
    zipping = Client(compression=grpc.Compression.Deflate)
    equal(failure(zipping.unary, Message(text="z")).code(), grpc.StatusCode.UNIMPLEMENTED)


CHECKS = [
    unary, client_streaming, server_streaming, server_streaming_empty, duplex_ping_pong, status_and_trailers, status_after_messages, crash,
    metadata, unimplemented_method, deadline, cancellation, large_message, oversized_request, oversized_response, gzip, unknown_encoding,
]  # fmt: skip
for check in CHECKS:
    try:
        check()
        print("ok", check.__name__, flush=True)
    except Exception as error:
        print(f"FAIL {check.__name__}: {error}".replace("\n", " "), flush=True)
