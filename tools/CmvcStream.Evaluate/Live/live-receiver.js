// The receiving page: shows what comes and keeps the pixels of each picture.
"use strict";
const now = () => (performance.timeOrigin + performance.now()) / 1000;
const shown = [];    // [RTP timestamp, Unix time, width, height, pixel format]
const pixels = [];   // their bytes, or a promise of them
const states = [];   // [Unix time, what]
let pc;

// Resolves to the answer.
async function answer(offer) {
  pc = new RTCPeerConnection();
  pc.oniceconnectionstatechange = () => states.push([now(), "ICE " + pc.iceConnectionState]);
  pc.onconnectionstatechange = () => states.push([now(), "connection " + pc.connectionState]);
  const video = document.createElement("video");
  video.muted = true;
  video.autoplay = true;
  document.body.append(video);
  pc.ontrack = e => {
    e.receiver.jitterBufferTarget = 0; // shows as early as it can
    video.srcObject = new MediaStream([e.track]);
  };
  const show = (_, meta) => {
    video.requestVideoFrameCallback(show);
    const frame = new VideoFrame(video);
    const format = ["I420", "NV12"].includes(frame.format) ? frame.format : "RGBA";
    shown.push([meta.rtpTimestamp, now(), frame.visibleRect.width, frame.visibleRect.height, format]);
    pixels.push(keep(frame, format));
  };
  video.requestVideoFrameCallback(show);
  await pc.setRemoteDescription({ type: "offer", sdp: offer });
  await pc.setLocalDescription(await pc.createAnswer());
  if (pc.iceGatheringState !== "complete")
    await new Promise(done => { pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); });
  return pc.localDescription.sdp;
}

async function keep(frame, format) {
  const options = frame.format === format ? {} : { format };
  const bytes = new Uint8Array(frame.allocationSize(options));
  await frame.copyTo(bytes, options);
  frame.close();
  return bytes;
}

// Pixels of one picture, in base64.
async function picture(n) {
  const bytes = await pixels[n];
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000)
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

async function report() {
  const statistics = [...(await pc.getStats()).values()].filter(s => ["inbound-rtp", "candidate-pair", "transport"].includes(s.type));
  return JSON.stringify({ shown, states, statistics });
}
