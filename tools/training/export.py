#!/usr/bin/python3
"""Writes a trained network into a model pack: int8 for CPUs, fp16 for CUDA, its card, and its entries in manifest.json.

    export.py RUN --data DIR --name restore-medium [--pack models] [--index INDEX.tsv] [--lpips FILE]

RUN is the folder of train.py, DIR what it was trained on (the ranges of activations are measured on it). INDEX.tsv says where the clips come
from. int8: every operation, weights per channel, static ranges (minimum and maximum), as DequantizeLinear / QuantizeLinear pairs that ONNX
Runtime turns into integer kernels. The card's scores of int8 come from the same arithmetic in PyTorch.
"""
import argparse
import csv
import hashlib
import json
import os
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import data
import networks
import train
from lpips import Lpips

LICENCE = 'MIT'
SLICE = networks.PACKED


def ranges(net, files, count=48):
    """Minimum and maximum of each operation's result over whole pictures."""
    found = {}

    def seen(name, y):
        low, high = found.get(name, (0., 0.))
        found[name] = (min(low, y.min().item()), max(high, y.max().item()))

    random = np.random.default_rng(7)
    with torch.no_grad():
        for _ in range(count):
            f = files[random.integers(len(files))]
            net(data.whole(f, int(random.integers(len(f))), networks.ALIGN)[0], seen)
    return found


def scale_of(low, high, relu):
    """Scale and zero point of 8 bits."""
    if relu:
        return max(high, 1e-4) / 255, 0
    scale = max(high - low, 1e-4) / 255
    return scale, int(round(-low / scale))


def quantize_weight(conv):
    w = conv.weight.detach().numpy()
    s = np.maximum(np.abs(w).reshape(len(w), -1).max(1) / 127, 1e-8).astype(np.float32)
    return np.clip(np.round(w / s[:, None, None, None]), -127, 127).astype(np.int8), s


class Graph:
    """Nodes and constants of an ONNX graph."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, array):
        self.constants[name] = numpy_helper.from_array(np.array(array, order='C'), name)
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def model(self, inputs, opset=13):
        x = helper.make_tensor_value_info('x', TensorProto.UINT8, [1, inputs, 'h', 'w'])
        y = helper.make_tensor_value_info('y', TensorProto.UINT8, [1, SLICE, 'h', 'w'])
        graph = helper.make_graph(self.nodes, 'cmvc', [x], [y], list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], producer_name='cmvc')
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model.SerializeToString()

    def base(self):
        """The first 24 planes of the input, as they are."""
        for name, value in (('base_from', 0), ('base_to', SLICE), ('base_axis', 1)):
            self.constant(name, np.array([value], np.int64))
        return self.node('Slice', ['x', 'base_from', 'base_to', 'base_axis'], 'base')


def conv_attributes(op):
    k = 3 if op.kind == 'conv' else 1
    return dict(kernel_shape=[k, k], strides=[op.stride] * 2, pads=[k // 2] * 4)


def int8(net, found):
    g = Graph()
    bytes_scale = (g.constant('bytes_s', np.float32(1 / 255)), g.constant('bytes_z', np.uint8(0)))
    scales = {'': bytes_scale}
    floats = {'': g.node('DequantizeLinear', ['x', *bytes_scale], 'x_f')}
    sizes = {'': 1 / 255}

    def quantized(name, value, scale, zero):
        pair = (g.constant(name + '_s', np.float32(scale)), g.constant(name + '_z', np.uint8(zero)))
        g.node('QuantizeLinear', [value, *pair], name + '_q')
        scales[name], sizes[name] = pair, scale
        floats[name] = g.node('DequantizeLinear', [name + '_q', *pair], name + '_f')

    for op in net.ops:
        a = op.sources[0]
        if op.channels:
            conv = net.convs[op.name]
            w, s = quantize_weight(conv)
            g.constant(op.name + '_w', w), g.constant(op.name + '_ws', s), g.constant(op.name + '_wz', np.zeros(len(s), np.int8))
            bs = (s * np.float32(sizes[a])).astype(np.float32)
            g.constant(op.name + '_b', np.round(conv.bias.detach().numpy() / bs).astype(np.int32))
            g.constant(op.name + '_bs', bs), g.constant(op.name + '_bz', np.zeros(len(s), np.int32))
            weight = g.node('DequantizeLinear', [op.name + p for p in ('_w', '_ws', '_wz')], op.name + '_wf', axis=0)
            bias = g.node('DequantizeLinear', [op.name + p for p in ('_b', '_bs', '_bz')], op.name + '_bf', axis=0)
            value = g.node('Conv', [floats[a], weight, bias], op.name + '_v', **conv_attributes(op))
        elif op.kind == 'add':
            value = g.node('Add', [floats[a], floats[op.sources[1]]], op.name + '_v')
        else:
            if 'up_scales' not in g.constants:
                g.constant('up_roi', np.zeros(0, np.float32)), g.constant('up_scales', np.array([1, 1, 2, 2], np.float32))
            value = g.node('Resize', [floats[a], 'up_roi', 'up_scales'], op.name + '_v', mode='nearest',
                           coordinate_transformation_mode='asymmetric', nearest_mode='floor')
        if op.kind == 'up':                                # the same numbers: the same scale
            g.node('QuantizeLinear', [value, *scales[a]], op.name + '_q')
            scales[op.name], sizes[op.name] = scales[a], sizes[a]
            floats[op.name] = g.node('DequantizeLinear', [op.name + '_q', *scales[a]], op.name + '_f')
        else:                                              # a zero point of 0 is the ReLU
            quantized(op.name, value, *scale_of(*found[op.name], op.relu))
    base = g.node('DequantizeLinear', [g.base(), *bytes_scale], 'base_f')
    total = g.node('Add', [base, floats[net.ops[-1].name]], 'y_f')
    g.node('QuantizeLinear', [total, *bytes_scale], 'y')
    return g.model(networks.INPUTS[net.role])


def fp16(net):
    g = Graph()
    g.node('Cast', ['x'], 'x_h', to=TensorProto.FLOAT16)
    values = {'': g.node('Mul', ['x_h', g.constant('byte', np.float16(1 / 255))], 'x_f')}
    for op in net.ops:
        a = values[op.sources[0]]
        if op.channels:
            conv = net.convs[op.name]
            g.constant(op.name + '_w', conv.weight.detach().numpy().astype(np.float16))
            g.constant(op.name + '_b', conv.bias.detach().numpy().astype(np.float16))
            y = g.node('Conv', [a, op.name + '_w', op.name + '_b'], op.name + '_v', **conv_attributes(op))
        elif op.kind == 'add':
            y = g.node('Add', [a, values[op.sources[1]]], op.name + '_v')
        else:
            if 'up_scales' not in g.constants:
                g.constant('up_roi', np.zeros(0, np.float32)), g.constant('up_scales', np.array([1, 1, 2, 2], np.float32))
            y = g.node('Resize', [a, 'up_roi', 'up_scales'], op.name + '_v', mode='nearest',
                       coordinate_transformation_mode='asymmetric', nearest_mode='floor')
        values[op.name] = g.node('Relu', [y], op.name + '_r') if op.relu else y
    g.node('Cast', [values[net.ops[-1].name]], 'residual', to=TensorProto.FLOAT)
    g.node('Mul', ['residual', g.constant('bytes', np.float32(255))], 'residual_bytes')
    g.node('Cast', [g.base()], 'base_f', to=TensorProto.FLOAT)
    g.node('Add', ['base_f', 'residual_bytes'], 'sum')
    g.node('Add', ['sum', g.constant('half', np.float32(.5))], 'sum_half')
    g.node('Clip', ['sum_half', g.constant('least', np.float32(0)), g.constant('most', np.float32(255))], 'clipped')
    g.node('Cast', ['clipped'], 'y', to=TensorProto.UINT8)
    return g.model(networks.INPUTS[net.role])


class Simulated(torch.nn.Module):
    """What the int8 file computes, in PyTorch."""

    def __init__(self, net, found):
        super().__init__()
        self.net, self.found, self.weights = net, found, {}
        for op in net.ops:
            if op.channels:
                w, s = quantize_weight(net.convs[op.name])
                self.weights[op.name] = torch.from_numpy(w.astype(np.float32) * s[:, None, None, None])

    def forward(self, x):
        values = {'': x}
        for op in self.net.ops:
            a = values[op.sources[0]]
            if op.channels:
                conv = self.net.convs[op.name]
                y = torch.conv2d(a, self.weights[op.name], conv.bias, conv.stride, conv.padding)
            elif op.kind == 'add':
                y = a + values[op.sources[1]]
            else:
                values[op.name] = a.repeat_interleave(2, 2).repeat_interleave(2, 3)
                continue
            s, z = scale_of(*self.found[op.name], op.relu)
            values[op.name] = ((y / s).round() + z).clamp(0, 255).sub(z).mul(s)
        return x[:, :SLICE] + values[self.net.ops[-1].name]


def card(name, state, net, scores, int8_scores, files, held, log, index):
    lines = [f'# {name}', '', f'Role `{net.role}`, a U-Net of {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, '
             f'{net.costs() / 1e3:.0f} k multiplications a pixel; made by this project\'s `tools/training`, licence {LICENCE}.', '']
    lines += ['Trained on what the real sender and receiver make of the clips below (`prepare.py`, in virtual time), '
              f'{state["samples"]} samples, {state["step"]} steps. ' + ', '.join(f'{k} {v}' for k, v in state['options'].items() if k in (
                  'batch', 'crop', 'rate', 'perceptual', 'seed', 'size')) + '. Loss: Charbonnier on the packed picture and LPIPS (SqueezeNet), each over that of what goes in.', '']
    lines += ['Scores on whole pictures of clips that were not trained on (' + ', '.join(sorted({f.path.name.rsplit('.', 2)[0] for f in held})) + '):', '',
              '| | LPIPS | L1 (levels of 255) |', '|---|---|---|', f'| as decoded | {scores[0]:.4f} | {255 * scores[2]:.2f} |',
              f'| restored, float | {scores[1]:.4f} | {255 * scores[3]:.2f} |', f'| restored, int8 | {int8_scores[1]:.4f} | {255 * int8_scores[3]:.2f} |', '']
    if net.role == 'interpolate':
        lines = [line.replace('as decoded', 'as interpolated').replace('restored', 'refined') for line in lines]
    lines += ['## Training', '', '| step | loss | LPIPS, held out | L1, held out |', '|---|---|---|---|']
    rows = [r for r in csv.DictReader(log, delimiter='\t')]
    lines += [f'| {r["step"]} | {r["loss"]} | {r["lpips_out"]} | {255 * float(r["l1_out"]):.2f} |' for r in rows[:-1:max(1, len(rows) // 20)] + rows[-1:]]
    lines += ['', '## Data', '']
    names = sorted({f.path.name.rsplit('.', 2)[0] for f in files})
    if index:
        with open(index, newline='') as f:
            origin = {pathlib.Path(r['file']).stem: f'{r["origin"]} ({r["licence"]})' for r in csv.DictReader(f, delimiter='\t')}
        names = [f'{n}: {origin.get(n, "unknown")}' for n in names]
    return '\n'.join(lines + [f'- {n}' for n in names]) + '\n'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('run', type=pathlib.Path)
    p.add_argument('--data', required=True, type=pathlib.Path)
    p.add_argument('--name', required=True)
    p.add_argument('--pack', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / 'models')
    p.add_argument('--index', default=train.SHARED + '/media/INDEX.tsv')
    p.add_argument('--lpips', default=train.SHARED + '/eval/lpips_sq.onnx')
    o = p.parse_args()
    state = torch.load(o.run / 'checkpoint.pt', map_location='cpu')
    net = networks.Network(state['role'], state['size'])
    net.load_state_dict(state['mean'])
    net.eval()
    trained, held = data.load(o.data, net.role)
    found = ranges(net, trained)
    lpips = Lpips(o.lpips)
    scores, int8_scores = (train.score(n, held, lpips, 'cpu') for n in (net, Simulated(net, found)))
    print(f'LPIPS {scores[0]:.4f} as it goes in, {scores[1]:.4f} float, {int8_scores[1]:.4f} int8; L1 {255 * scores[2]:.2f}, {255 * scores[3]:.2f}, {255 * int8_scores[3]:.2f}')
    o.pack.mkdir(parents=True, exist_ok=True)
    manifest_file = o.pack / 'manifest.json'
    manifest = json.loads(manifest_file.read_text()) if manifest_file.exists() else dict(version=1, name=o.pack.name, models=[])
    manifest['models'] = [m for m in manifest['models'] if m['name'] != o.name]
    port = lambda name, channels: dict(name=name, type='uint8', shape=[1, channels, -1, -1])
    for provider, kind, content in (('cpu', 'int8', int8(net, found)), ('cuda', 'fp16', fp16(net))):
        file = f'{o.name}.{kind}.onnx'
        (o.pack / file).write_bytes(content)
        manifest['models'].append(dict(name=o.name, role=net.role, provider=provider, file=file, sha256=hashlib.sha256(content).hexdigest(),
                                       inputs=[port('x', networks.INPUTS[net.role])], outputs=[port('y', SLICE)], cost=round(net.costs()),
                                       card=f'{o.name}.md', licence=LICENCE))
        print(f'{o.pack / file}: {len(content) / 1e6:.1f} MB')
    manifest['models'].sort(key=lambda m: (m['role'], m['cost'], m['provider']))
    index = o.index if os.path.exists(o.index) else None
    with open(o.run / 'log.tsv') as log:
        (o.pack / f'{o.name}.md').write_text(card(o.name, state, net, scores, int8_scores, trained, held, log, index))
    manifest_file.write_text(json.dumps(manifest, indent=2) + '\n')


if __name__ == '__main__':
    sys.exit(main())
