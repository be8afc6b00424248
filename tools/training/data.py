"""What the networks are trained on: files that cmvc-simulate --pairs and --triples write."""
import pathlib

import numpy as np
import torch

from networks import pack

# Clips whose name contains one of these are not trained on: what is reported is measured on them.
HELD_OUT = ('liveportrait-d12', 'video-retalking-4', 'imageai-traffic', 'pbls-guitar', 'vmaf_resource-seeking_30', 'video-llama-boat',
            'ask-anything-hitting_baseball', 'video-llava-sample_demo_9')


class Recording:
    """A file of samples: a line "cmvc-pairs 1 W H" (or cmvc-triples), then two bytes and 2 (or 4) pictures each."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            line = f.readline()
        kind, version, w, h = line.split()
        self.pictures = {b'cmvc-pairs': 2, b'cmvc-triples': 4}[kind]
        if version != b'1':
            raise ValueError(f'{path} is of version {version.decode()}, this reads 1')
        self.path, self.w, self.h = pathlib.Path(path), int(w), int(h)
        self.cw, self.ch = (self.w + 1) // 2, (self.h + 1) // 2
        self.bytes = self.w * self.h + 2 * self.cw * self.ch
        raw = np.memmap(path, np.uint8, 'r', len(line))
        record = 2 + self.pictures * self.bytes
        self.records = raw[:len(raw) // record * record].reshape(-1, record)

    def __len__(self):
        return len(self.records)

    def crop(self, i, x, y, w, h, flip=False):
        """Packed pictures (pictures x 24 x h/4 x w/4, bytes) of a part, edges repeated beyond the picture; and the two bytes."""
        record, pictures = self.records[i], []

        def part(start, pw, ph, s):
            plane = record[start:start + pw * ph].reshape(ph, pw)[y // s:(y + h) // s, x // s:(x + w) // s]
            if plane.shape != (h // s, w // s):
                plane = np.pad(plane, ((0, h // s - plane.shape[0]), (0, w // s - plane.shape[1])), 'edge')
            return torch.from_numpy(np.array(plane[:, ::-1] if flip else plane))[None, None]

        for k in range(self.pictures):
            at = 2 + k * self.bytes
            luma = part(at, self.w, self.h, 1)
            u = part(at + self.w * self.h, self.cw, self.ch, 2)
            v = part(at + self.w * self.h + self.cw * self.ch, self.cw, self.ch, 2)
            pictures.append(pack(luma.float(), u.float(), v.float())[0])
        return torch.stack(pictures), record[:2]


def inputs(pictures, extra):
    """N x pictures x 24 x ..., N x 2 -> what goes in and what should come out, 0 to 1."""
    n, k, _, h, w = pictures.shape
    given = pictures[:, :-1].reshape(n, (k - 1) * 24, h, w)
    constant = extra.float()[:, :, None, None].expand(-1, -1, h, w)
    return torch.cat([given, constant], 1) / 255, pictures[:, -1] / 255


def load(folder, role):
    ending = {'restore': 'pairs', 'interpolate': 'triples'}[role]
    files = [Recording(p) for p in sorted(pathlib.Path(folder).glob(f'*.{ending}'))]
    held = [f for f in files if any(h in f.path.name for h in HELD_OUT)]
    if not held:                                            # other clips than this project's: every eighth one
        names = sorted({f.path.name.rsplit('.', 2)[0] for f in files})[::8]
        held = [f for f in files if f.path.name.rsplit('.', 2)[0] in names]
    trained = [f for f in files if f not in held and len(f)]
    if not trained:
        raise SystemExit(f'{folder} has no *.{ending} to train on: prepare.py makes them')
    return trained, [f for f in held if len(f)]


class Batches:
    """Random crops."""

    def __init__(self, files, batch, crop, seed):
        self.files, self.batch, self.crop = files, batch, crop
        self.random = np.random.default_rng(seed)
        self.weights = np.array([len(f) for f in files], float) ** .75
        self.weights /= self.weights.sum()

    def next(self):
        pictures, extras = [], []
        while len(pictures) < self.batch:
            f = self.files[self.random.choice(len(self.files), p=self.weights)]
            x = int(self.random.integers(0, max(1, (f.w - self.crop) // 2 + 1))) * 2
            y = int(self.random.integers(0, max(1, (f.h - self.crop) // 2 + 1))) * 2
            p, e = f.crop(int(self.random.integers(len(f))), x, y, self.crop, self.crop, bool(self.random.integers(2)))
            pictures.append(p)
            extras.append(torch.from_numpy(np.array(e)))
        return inputs(torch.stack(pictures), torch.stack(extras))


def whole(f, i, align):
    """A whole sample, padded to a multiple of align."""
    w, h = -(-f.w // align) * align, -(-f.h // align) * align
    p, e = f.crop(i, 0, 0, w, h)
    return inputs(p[None], torch.from_numpy(np.array(e))[None])
