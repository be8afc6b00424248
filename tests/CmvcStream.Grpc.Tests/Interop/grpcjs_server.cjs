// usage: node grpcjs_server.cjs ECHO_PROTO MODULES [CERTIFICATE KEY]
'use strict';
const fs = require('fs');
const path = require('path');
const [protoFile, modules, certificate, key] = process.argv.slice(2);
const grpc = require(path.join(modules, '@grpc/grpc-js'));
const loader = require(path.join(modules, '@grpc/proto-loader'));

const { Echo } = grpc.loadPackageDefinition(loader.loadSync(protoFile, { keepCase: true, defaults: true })).cmvc.grpc.test.v1;
let cancelled = 0;

function begin(call) {
  const headers = new grpc.Metadata();
  for (const value of call.metadata.get('x-echo')) headers.add('x-echo', value);
  if (headers.get('x-echo').length > 0) call.sendMetadata(headers);
  call.on('cancelled', () => { cancelled++; });
}

function trailers(call) {
  const metadata = new grpc.Metadata();
  for (const value of call.metadata.get('x-echo-bin')) metadata.add('x-echo-bin', value);
  return metadata;
}

function failure(call, request) {
  const metadata = trailers(call);
  if (request.crash) throw new Error('crashed as asked');
  if (request.fail_with === 0) return null;
  metadata.add('x-why', 'asked');
  return { code: request.fail_with, details: request.text, metadata };
}

function reply(request, index) {
  if (request.count_cancelled) return { index: cancelled };
  return { text: request.text, index, payload: request.reply_size ? Buffer.alloc(request.reply_size, 7) : request.payload };
}

const later = (request, action) => (request.sleep_ms ? setTimeout(action, request.sleep_ms) : action());

const service = {
  Unary(call, callback) {
    begin(call);
    later(call.request, () => {
      const error = failure(call, call.request);
      if (error) callback(error); else callback(null, reply(call.request, 0), trailers(call));
    });
  },
  Collect(call, callback) {
    begin(call);
    let text = '';
    let length = 0;
    let error = null;
    call.on('data', (request) => {
      error ??= failure(call, request);
      text += request.text;
      length += request.payload.length;
    });
    call.on('end', () => (error ? callback(error) : callback(null, { text, index: length }, trailers(call))));
  },
  Expand(call) {
    begin(call);
    later(call.request, () => {
      for (let i = 0; i < call.request.repeat; i++) call.write(reply(call.request, i));
      const error = failure(call, call.request);
      if (error) call.emit('error', error); else call.end(trailers(call));
    });
  },
  Chat(call) {
    begin(call);
    let index = 0;
    call.on('data', (request) => later(request, () => {
      const error = failure(call, request);
      if (error) call.emit('error', error); else call.write(reply(request, index++));
    }));
    call.on('end', () => call.end(trailers(call)));
  },
};

const credentials = certificate
  ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: fs.readFileSync(certificate), private_key: fs.readFileSync(key) }])
  : grpc.ServerCredentials.createInsecure();
const server = new grpc.Server();
server.addService(Echo.service, service);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  console.log(`port ${port}`);
});
process.stdin.on('end', () => process.exit(0)).resume();
