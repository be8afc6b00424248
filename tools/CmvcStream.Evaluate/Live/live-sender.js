// The sending page: plays the captured clip as if it were a camera and sends it over a peer connection.
"use strict";
const now = () => (performance.timeOrigin + performance.now()) / 1000;
const captured = []; // [source time, Unix time] of each frame that was handed to the encoder
const sent = [];     // [RTP timestamp, Unix time, bytes, 1 for a keyframe] of each that came out of it
const states = [];   // [Unix time, what]
let pc, video, transceiver, capture;

// Resolves to the offer.
async function prepare({ codec, kbps, divisor, step, fps }) {
  video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(await (await fetch("captured.mp4")).blob());
  document.body.append(video);
  await new Promise((ready, failed) => {
    video.oncanplaythrough = ready;
    video.onerror = () => failed(new Error("this browser cannot play the clip: " + video.error.message));
  });
  pc = new RTCPeerConnection({ encodedInsertableStreams: true });
  pc.oniceconnectionstatechange = () => states.push([now(), "ICE " + pc.iceConnectionState]);
  pc.onconnectionstatechange = () => states.push([now(), "connection " + pc.connectionState]);
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = track.writable.getWriter();
  transceiver = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [{ maxBitrate: kbps * 1000, scaleResolutionDownBy: divisor }] });
  const offered = RTCRtpSender.getCapabilities("video").codecs.filter(c => c.mimeType.toLowerCase() === "video/" + codec.toLowerCase());
  if (offered.length === 0)
    throw new Error("this browser does not send " + codec);
  transceiver.setCodecPreferences(offered.slice(0, 1));
  const { readable, writable } = transceiver.sender.createEncodedStreams();
  readable.pipeThrough(new TransformStream({
    transform(frame, controller) {
      sent.push([frame.getMetadata().rtpTimestamp ?? frame.timestamp, now(), frame.data.byteLength, frame.type === "key" ? 1 : 0]);
      controller.enqueue(frame);
    },
  })).pipeTo(writable);
  capture = (_, meta) => {
    video.requestVideoFrameCallback(capture);
    if (Math.round(meta.mediaTime * fps) % step !== 0)
      return;
    captured.push([meta.mediaTime, now()]);
    writer.write(new VideoFrame(video, { timestamp: Math.round(meta.mediaTime * 1e6) }));
  };
  return describe(await pc.createOffer());
}

async function describe(description) {
  await pc.setLocalDescription(description);
  if (pc.iceGatheringState !== "complete")
    await new Promise(done => { pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); });
  return pc.localDescription.sdp;
}

// The camera starts and the connection with it.
async function start(answer) {
  video.requestVideoFrameCallback(capture);
  await Promise.all([video.play(), pc.setRemoteDescription({ type: "answer", sdp: answer })]);
}

async function report() {
  const statistics = [...(await pc.getStats()).values()].filter(s => ["outbound-rtp", "candidate-pair", "transport"].includes(s.type));
  return JSON.stringify({ captured, sent, states, statistics });
}
