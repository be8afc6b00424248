"""usage: python3 grpcio_server.py [CERTIFICATE KEY]"""

import sys
import threading
from concurrent import futures

import grpc
from echo_messages import Message, decode_request, encode_reply

CODES = {code.value[0]: code for code in grpc.StatusCode}
cancelled = 0
lock = threading.Lock()


def begin(context):
    metadata = context.invocation_metadata()
    echo = [(key, value) for key, value in metadata if key == "x-echo"]
    if echo:
        context.send_initial_metadata(echo)
    trailers = [(key, value) for key, value in metadata if key == "x-echo-bin"]
    if trailers:
        context.set_trailing_metadata(trailers)
    return trailers


def sleep(request, context):
    global cancelled
    if not request.sleep_ms:
        return
    gone = threading.Event()
    context.add_callback(gone.set)
    if gone.wait(request.sleep_ms / 1000):
        with lock:
            cancelled += 1


def fail(request, context, trailers):
    if request.crash:
        raise ValueError("crashed as asked")
    if request.fail_with:
        context.set_trailing_metadata([*trailers, ("x-why", "asked")])
        context.abort(CODES[request.fail_with], request.text)


def reply(request, index):
    if request.count_cancelled:
        return Message(index=cancelled)
    return Message(text=request.text, index=index, payload=bytes([7]) * request.reply_size if request.reply_size else request.payload)


def unary(request, context):
    trailers = begin(context)
    sleep(request, context)
    fail(request, context, trailers)
    return reply(request, 0)


def collect(requests, context):
    trailers = begin(context)
    text, length = "", 0
    for request in requests:
        fail(request, context, trailers)
        text += request.text
        length += len(request.payload)
    return Message(text=text, index=length)


def expand(request, context):
    trailers = begin(context)
    sleep(request, context)
    for index in range(request.repeat):
        yield reply(request, index)
    fail(request, context, trailers)


def chat(requests, context):
    trailers = begin(context)
    for index, request in enumerate(requests):
        sleep(request, context)
        fail(request, context, trailers)
        yield reply(request, index)


def main():
    coders = {"request_deserializer": decode_request, "response_serializer": encode_reply}
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, **coders),
        "Collect": grpc.stream_unary_rpc_method_handler(collect, **coders),
        "Expand": grpc.unary_stream_rpc_method_handler(expand, **coders),
        "Chat": grpc.stream_stream_rpc_method_handler(chat, **coders),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("cmvc.grpc.test.v1.Echo", handlers),))
    if len(sys.argv) > 2:
        with open(sys.argv[1], "rb") as certificate, open(sys.argv[2], "rb") as key:
            port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key.read(), certificate.read())]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"port {port}", flush=True)
    sys.stdin.read()
    server.stop(0)


main()
