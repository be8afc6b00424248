// usage: node session.cjs PROTO_FOLDER MODULES HOST:PORT MAJOR_VERSION
// Opens a session as a stranger would who has only the .proto files; prints what it hears as one JSON line.
'use strict';
const path = require('path');
const [protos, modules, address, major] = process.argv.slice(2);
const grpc = require(path.join(modules, '@grpc/grpc-js'));
const loader = require(path.join(modules, '@grpc/proto-loader'));

const definition = loader.loadSync(path.join(protos, 'stream.proto'), { keepCase: true, defaults: true, includeDirs: [protos] });
const { Stream } = grpc.loadPackageDefinition(definition).cmvc.v1;
const call = new Stream(address, grpc.credentials.createInsecure()).Session();
const heard = { messages: [] };
call.on('data', (message) => { heard.messages.push(message); call.end(); });
call.on('error', () => {});
call.on('status', (status) => {
  console.log(JSON.stringify({ ...heard, code: status.code, details: status.details }));
  process.exit(0);
});
call.write({
  sequence: 1,
  hello: { version: { major: Number(major), minor: 7 }, source: { name: 'stranger', width: 64, height: 64, tick_rate: 15, tick_scale: 1 } },
});
