#!/usr/bin/python3
"""Fits a low-rank adapter of a pack's network to recordings of one camera, in minutes on a CPU.

    adapt.py RECORDING... --name porch [--out adapters] [--base restore-medium] [--pack models] [--rates 6,8,12] [--steps 400] [--lpips FILE]

Runs the real sender and receiver over the recordings (prepare.py), keeps the network's weights and learns, for each convolution, two thin
matrices whose product is added to them (LoRA). The last fifth of each recording is not fitted to: the scores are measured on it. Writes
NAME.safetensors, which `./cmvc receive --adapter` takes, and NAME.md, which says what it was made of and what it gains.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils import parametrize

import data
import networks
import train
from lpips import Lpips

HERE = pathlib.Path(__file__).resolve().parent
FORMAT = 'cmvc-adapter-1'


class LowRank(nn.Module):
    """Adds the product of out x rank and rank x (in x height x width) to a convolution's weights."""

    def __init__(self, weight, rank):
        super().__init__()
        self.a = nn.Parameter(torch.randn(rank, weight[0].numel()) / weight[0].numel() ** .5)
        self.b = nn.Parameter(torch.zeros(len(weight), rank))

    def forward(self, weight):
        return weight + (self.b @ self.a).view_as(weight)


def save(path, tensors, metadata):
    """safetensors: the header's length, the header, the tensors."""
    header, body = {'__metadata__': metadata}, b''
    for name, value in tensors.items():
        raw = value.detach().numpy().astype(np.float16).tobytes()
        header[name] = dict(dtype='F16', shape=list(value.shape), data_offsets=[len(body), len(body) + len(raw)])
        body += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, 'little') + text + body)


class Part:
    """Some samples of a recording."""

    def __init__(self, recording, begin, end):
        self.recording, self.begin, self.end = recording, begin, end
        self.w, self.h, self.path = recording.w, recording.h, recording.path

    def __len__(self):
        return self.end - self.begin

    def crop(self, i, *where):
        return self.recording.crop(self.begin + i, *where)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('recordings', nargs='+', type=pathlib.Path)
    p.add_argument('--name', required=True, help='letters, digits, "-", "_", "."')
    p.add_argument('--out', type=pathlib.Path, default=pathlib.Path('adapters'))
    p.add_argument('--base', default='restore-medium')
    p.add_argument('--pack', type=pathlib.Path, default=HERE.parents[1] / 'models')
    p.add_argument('--rates', default='6,8,12', help='kbit/s on the wire')
    p.add_argument('--rank', type=int, default=4)
    p.add_argument('--steps', type=int, default=400)
    p.add_argument('--batch', type=int, default=6)
    p.add_argument('--crop', type=int, default=128)
    p.add_argument('--rate', type=float, default=2e-3, help='learning rate at the start')
    p.add_argument('--perceptual', type=float, default=2, help='weight of LPIPS beside Charbonnier')
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--threads', type=int, default=os.cpu_count())
    p.add_argument('--lpips', default=train.SHARED + '/eval/lpips_sq.onnx')
    o = p.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(o.threads)
    entries = [m for m in json.loads((o.pack / 'manifest.json').read_text())['models'] if m['name'] == o.base]
    if not entries:
        sys.exit(f'adapt: {o.pack} has no {o.base}')
    role = entries[0]['role']
    size = next((s for s in networks.SIZES if round(networks.Network(role, s).costs()) == entries[0]['cost']), None)
    if size is None:
        sys.exit(f'adapt: {o.base} has none of the shapes of networks.py')
    net = networks.Network(role, size)
    networks.load_weights(net, o.pack / next(m['file'] for m in entries if m['provider'] == 'cuda'))
    lpips = Lpips(o.lpips)
    began = time.time()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='cmvc-adapt-'))
    try:
        command = [sys.executable, HERE / 'prepare.py', role, *o.recordings, '--out', folder, '--rates', o.rates]
        if subprocess.run(command).returncode:
            sys.exit('adapt: the recordings could not be prepared')
        files = [data.Recording(f) for f in sorted(folder.iterdir()) if f.suffix in ('.pairs', '.triples')]
        cut = lambda f: len(f) - max(1, len(f) // 5)
        fitted = [Part(f, 0, cut(f)) for f in files if cut(f) > 0]
        held = [Part(f, cut(f), len(f)) for f in files if len(f)]
        if not fitted:
            sys.exit('adapt: the recordings are too short')
        before = train.score(net, held, lpips, 'cpu', each=4)
        net.requires_grad_(False)
        for conv in net.convs.values():
            parametrize.register_parametrization(conv, 'weight', LowRank(conv.weight, o.rank))
        learned = [v for n, v in net.named_parameters() if v.requires_grad]
        optimizer = torch.optim.Adam(learned, o.rate, betas=(.9, .99))
        batches = data.Batches(fitted, o.batch, o.crop, o.seed)
        for step in range(o.steps):
            for group in optimizer.param_groups:
                group['lr'] = o.rate * min(1, (step + 1) / 20) * (1 - step / o.steps)
            loss = train.loss_of(net, lpips, *batches.next(), o.perceptual)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learned, 5)
            optimizer.step()
            if step % 50 == 49:
                print(f'step {step + 1} of {o.steps}, loss {loss.item():.3f}, {time.time() - began:.0f} s', flush=True)
        after = train.score(net, held, lpips, 'cpu', each=4)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tensors = {}
    for name, conv in net.convs.items():
        part = conv.parametrizations.weight[0]
        tensors[name + '.lora_A'], tensors[name + '.lora_B'] = part.a, part.b
    o.out.mkdir(parents=True, exist_ok=True)
    file = o.out / f'{o.name}.safetensors'
    save(file, tensors, dict(format=FORMAT, name=o.name, base=o.base, base_sha256=','.join(m['sha256'] for m in entries), rank=str(o.rank)))
    samples = sum(map(len, fitted))
    (o.out / f'{o.name}.md').write_text('\n'.join([
        f'# {o.name}', '', f'Low-rank adapter (rank {o.rank}) of {o.base}, fitted by `tools/training/adapt.py` to {samples} samples of ' + ', '.join(r.stem for r in o.recordings) +
        f', at {o.rates} kbit/s; {o.steps} steps of {o.batch} parts of {o.crop} pixels, rate {o.rate}, seed {o.seed}.', '',
        'On the last fifth of each recording, which it was not fitted to:', '', '| | LPIPS | L1 (levels of 255) |', '|---|---|---|',
        f'| as decoded | {before[0]:.4f} | {255 * before[2]:.2f} |', f'| {o.base} | {before[1]:.4f} | {255 * before[3]:.2f} |',
        f'| {o.base}+{o.name} | {after[1]:.4f} | {255 * after[3]:.2f} |', '']))
    print(f'{file}: {file.stat().st_size / 1e3:.0f} kB; LPIPS {before[1]:.4f} without, {after[1]:.4f} with it ({100 * (after[1] / before[1] - 1):+.1f} %), {time.time() - began:.0f} s')


if __name__ == '__main__':
    sys.exit(main())
