// LPIPS of pairs of pictures by ONNX Runtime: lpips.cjs ONNXRUNTIME-NODE MODEL.onnx
// Standard input: height and width (uint32), then both pictures as float32 [3, H, W], normalised; again and again. Standard output: a float32 each.
"use strict";
const fs = require("fs");
const ort = require(process.argv[2]);

function read(bytes) {
  const buffer = Buffer.alloc(bytes);
  for (let got = 0; got < bytes; ) {
    const n = fs.readSync(0, buffer, got, bytes - got, null);
    if (n === 0) return null;
    got += n;
  }
  return buffer;
}

function picture(height, width) {
  const buffer = read(4 * 3 * height * width);
  return new ort.Tensor("float32", new Float32Array(buffer.buffer, buffer.byteOffset, 3 * height * width), [1, 3, height, width]);
}

(async () => {
  const session = await ort.InferenceSession.create(process.argv[3], { intraOpNumThreads: 1, interOpNumThreads: 1 });
  for (let head; (head = read(8)); ) {
    const [height, width] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    const result = await session.run({ ref: picture(height, width), dist: picture(height, width) });
    fs.writeSync(1, Buffer.from(new Float32Array([result[session.outputNames[0]].data[0]]).buffer));
  }
})();
