#!/usr/bin/python3
"""score.py of the folder of clips with its network run by ONNX Runtime: the same figures, in a fraction of the time.

    score.py EVAL-FOLDER ONNXRUNTIME-NODE ...what EVAL-FOLDER/score.py takes
"""
import os, struct, subprocess, sys

folder, runtime = sys.argv[1:3]
del sys.argv[1:3]
sys.path[0] = folder        # 'score' is then the folder's own
import score


class Lpips:
    def __init__(self, model):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lpips.cjs')
        self.node = subprocess.Popen(['node', script, runtime, model], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, ref, dist):
        send = self.node.stdin
        send.write(struct.pack('<II', *ref.shape[2:]))
        for picture in (ref, dist):
            send.write(picture.contiguous().numpy().tobytes())
        send.flush()
        return struct.unpack('<f', self.node.stdout.read(4))[0]


score.Lpips = Lpips
score.main()
