// usage: node grpcjs_client.cjs ECHO_PROTO MODULES HOST:PORT COMPRESSING_HOST:PORT [ROOT_CERTIFICATE]
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const [protoFile, modules, address, compressing, root] = process.argv.slice(2);
const grpc = require(path.join(modules, '@grpc/grpc-js'));
const loader = require(path.join(modules, '@grpc/proto-loader'));

const definition = grpc.loadPackageDefinition(loader.loadSync(protoFile, { keepCase: true, defaults: true }));
const { Echo } = definition.cmvc.grpc.test.v1;
const credentials = root ? grpc.credentials.createSsl(fs.readFileSync(root)) : grpc.credentials.createInsecure();
const connect = (options, to = address) => new Echo(to, credentials, options);
const client = connect();
const MiB = 1024 * 1024;

const unary = (request, { metadata = new grpc.Metadata(), options = {}, on = client } = {}) => new Promise((resolve) => {
  const result = {};
  const call = on.Unary(request, metadata, options, (error, response) => Object.assign(result, { error, response }));
  call.on('metadata', (headers) => { result.headers = headers; });
  call.on('status', (status) => resolve(Object.assign(result, { status })));
});

// Collects a response stream until its status.
const drain = (call, onData = () => {}) => new Promise((resolve) => {
  const replies = [];
  call.on('data', (reply) => { replies.push(reply); onData(reply); });
  call.on('error', () => {});
  call.on('status', (status) => resolve({ replies, status }));
});

const checks = {
  async unary() {
    const { response } = await unary({ text: 'grüß', payload: Buffer.from([0, 1, 255]) });
    assert.strictEqual(response.text, 'grüß');
    assert.deepStrictEqual([...response.payload], [0, 1, 255]);
  },
  async client_streaming() {
    const response = await new Promise((resolve, reject) => {
      const call = client.Collect((error, reply) => (error ? reject(error) : resolve(reply)));
      for (const text of ['a', 'b', 'c']) call.write({ text, payload: Buffer.alloc(10) });
      call.end();
    });
    assert.strictEqual(response.text, 'abc');
    assert.strictEqual(response.index, 30);
  },
  async server_streaming() {
    const { replies, status } = await drain(client.Expand({ text: 'x', repeat: 20 }));
    assert.deepStrictEqual(replies.map((reply) => reply.index), [...Array(20).keys()]);
    assert.strictEqual(status.code, grpc.status.OK);
  },
  async server_streaming_empty() {
    const { replies, status } = await drain(client.Expand({ text: 'x', repeat: 0 }));
    assert.strictEqual(replies.length, 0);
    assert.strictEqual(status.code, grpc.status.OK);
  },
  async duplex_ping_pong() {
    const call = client.Chat();
    let sent = 1;
    const ended = drain(call, () => (sent < 10 ? call.write({ text: `m${sent++}` }) : call.end()));
    call.write({ text: 'm0' });
    const { replies, status } = await ended;
    assert.deepStrictEqual(replies.map((reply) => reply.text), [...Array(10).keys()].map((i) => `m${i}`));
    assert.strictEqual(status.code, grpc.status.OK);
  },
  async status_and_trailers() {
    const metadata = new grpc.Metadata();
    metadata.add('x-echo-bin', Buffer.from([9, 8]));
    const { status } = await unary({ fail_with: 9, text: 'not ready: 100 % Ü\n' }, { metadata });
    assert.strictEqual(status.code, grpc.status.FAILED_PRECONDITION);
    assert.strictEqual(status.details, 'not ready: 100 % Ü\n');
    assert.deepStrictEqual(status.metadata.get('x-why'), ['asked']);
    assert.deepStrictEqual([...status.metadata.get('x-echo-bin')[0]], [9, 8]);
  },
  async status_after_messages() {
    const { replies, status } = await drain(client.Expand({ text: 'late', repeat: 3, fail_with: 10 }));
    assert.strictEqual(replies.length, 3);
    assert.strictEqual(status.code, grpc.status.ABORTED);
    assert.strictEqual(status.details, 'late');
  },
  async crash() {
    const { status } = await unary({ crash: true });
    assert.strictEqual(status.code, grpc.status.UNKNOWN);
  },
  async metadata() {
    const metadata = new grpc.Metadata();
    metadata.add('x-echo', 'one');
    metadata.add('x-echo-bin', Buffer.from([0, 255, 1]));
    const { headers, status } = await unary({ text: 'x' }, { metadata });
    assert.deepStrictEqual(headers.get('x-echo'), ['one']);
    assert.deepStrictEqual([...status.metadata.get('x-echo-bin')[0]], [0, 255, 1]);
  },
  async unimplemented_method() {
    const method = (name) => new Promise((resolve) => {
      client.makeUnaryRequest(name, (x) => x, (x) => x, Buffer.alloc(0), (error) => resolve(error.code));
    });
    assert.strictEqual(await method('/cmvc.grpc.test.v1.Echo/Nothing'), grpc.status.UNIMPLEMENTED);
    assert.strictEqual(await method('/cmvc.grpc.test.v1.Nobody/Unary'), grpc.status.UNIMPLEMENTED);
  },
  async deadline() {
    const { status } = await unary({ sleep_ms: 20000 }, { options: { deadline: Date.now() + 200 } });
    assert.strictEqual(status.code, grpc.status.DEADLINE_EXCEEDED);
  },
  async cancellation() {
    const before = (await unary({ count_cancelled: true })).response.index;
    const call = client.Unary({ sleep_ms: 20000 }, () => {});
    const status = new Promise((resolve) => { call.on('status', resolve); });
    setTimeout(() => call.cancel(), 200);
    assert.strictEqual((await status).code, grpc.status.CANCELLED);
    for (let i = 0; i < 100; i++) {
      if ((await unary({ count_cancelled: true })).response.index > before) return;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    assert.fail('the server has not noticed the cancellation');
  },
  async large_message() {
    const payload = Buffer.alloc(3 * MiB, 5);
    const { response } = await unary({ payload });
    assert.ok(response.payload.equals(payload));
  },
  async oversized_request() {
    const { status } = await unary({ payload: Buffer.alloc(5 * MiB) }, { on: connect({ 'grpc.max_send_message_length': -1 }) });
    assert.strictEqual(status.code, grpc.status.RESOURCE_EXHAUSTED);
  },
  async oversized_response() {
    const { status } = await unary({ reply_size: 5 * MiB });
    assert.strictEqual(status.code, grpc.status.RESOURCE_EXHAUSTED);
  },
  async gzip() {
    const zipping = connect({ 'grpc.default_compression_algorithm': 2 }, compressing);
    const { response } = await unary({ text: 'z', payload: Buffer.alloc(100000, 3) }, { on: zipping });
    assert.strictEqual(response.payload.length, 100000);
    assert.strictEqual(response.payload[99999], 3);
  },
  async unknown_encoding() {
    const zipping = connect({ 'grpc.default_compression_algorithm': 1 }); // deflate
    const { status } = await unary({ text: 'z' }, { on: zipping });
    assert.strictEqual(status.code, grpc.status.UNIMPLEMENTED);
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    const late = new Promise((_, reject) => { setTimeout(() => reject(new Error('no end within 15 s')), 15000).unref(); });
    try {
      await Promise.race([check(), late]);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAIL ${name}: ${String(error.message).replaceAll('\n', ' ')}`);
    }
  }
  process.exit(0);
})();
