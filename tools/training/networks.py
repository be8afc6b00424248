"""The networks, as lists of operations: PyTorch runs them in training, export.py writes them as ONNX.

All of them are U-Nets on pictures packed into a quarter of their size ("pixel unshuffle"): 24 channels a picture, luma 16 (row by row of
each 4x4 block), U 4, V 4; bytes / 255. What comes out is the first 24 channels of what goes in, plus a residual, clipped to bytes. The shape
is made for int8: every activation but the residual is that of a ReLU, features are multiples of 16, sizes change by strided convolutions and
nearest-neighbour repetition, skips are added.
"""
import dataclasses

import torch
import torch.nn as nn
import torch.nn.functional as F

PACKED = 24                                                 # channels of a packed picture
ALIGN = 16                                                  # sides of what goes in, in pixels: multiples of this

# Channels that go in: restore: decoded keyframe, coded scale, quantizer. interpolate: mix, first and second keyframe moved, time, gap.
INPUTS = {'restore': PACKED + 2, 'interpolate': 3 * PACKED + 2}

# Features at 1/4, 1/8 and 1/16 of the sides, and residual blocks there.
SIZES = {
    'tiny': ((32, 64, 96), (1, 1, 1)),
    'small': ((64, 96, 128), (1, 1, 2)),
    'medium': ((96, 128, 192), (1, 1, 2)),
    'large': ((128, 192, 256), (1, 2, 3)),
}


@dataclasses.dataclass(frozen=True)
class Op:
    """kind: conv (3x3), point (1x1), add, up (twice the size). sources: names of operations, '' is the input."""
    name: str
    kind: str
    sources: tuple
    channels: tuple = ()                                    # in and out, of convolutions
    stride: int = 1
    relu: bool = False


def operations(inputs, size):
    """The U-Net's residual; the last operation gives it."""
    features, blocks = SIZES[size]
    ops = []

    def put(kind, *sources, **more):
        ops.append(Op(f'{len(ops):02}', kind, sources, **more))
        return ops[-1].name

    def residual(x, f, count):
        for _ in range(count):
            h = put('conv', x, channels=(f, f), relu=True)
            x = put('add', put('conv', h, channels=(f, f)), x, relu=True)
        return x

    x, skips = put('conv', '', channels=(inputs, features[0]), relu=True), []
    for level in range(3):
        if level:
            x = put('conv', x, channels=(features[level - 1], features[level]), stride=2, relu=True)
        x = residual(x, features[level], blocks[level])
        skips.append(x)
    for level in (1, 0):
        x = put('up', put('point', x, channels=(features[level + 1], features[level])))
        x = put('add', x, skips[level], relu=True)
        x = residual(x, features[level], blocks[level])
    put('conv', x, channels=(features[0], PACKED))
    return ops


class Network(nn.Module):
    def __init__(self, role, size):
        super().__init__()
        self.role, self.size = role, size
        self.ops = operations(INPUTS[role], size)
        self.convs = nn.ModuleDict({
            op.name: nn.Conv2d(*op.channels, 3 if op.kind == 'conv' else 1, op.stride, 1 if op.kind == 'conv' else 0)
            for op in self.ops if op.channels})
        # Every branch begins small beside what it is added to: with ReLUs behind sums, a large one can switch a whole level off for good.
        for op in self.ops:
            if op.channels and not op.relu:
                self.convs[op.name].weight.data *= 0.1
                nn.init.zeros_(self.convs[op.name].bias)
        self.convs[self.ops[-1].name].weight.data *= 0.1

    def forward(self, x, seen=None):
        """x: N x inputs x H/4 x W/4, 0 to 1. seen: takes each operation's name and result, for calibration."""
        values = {'': x}
        for op in self.ops:
            a = values[op.sources[0]]
            if op.channels:
                y = self.convs[op.name](a)
            elif op.kind == 'add':
                y = a + values[op.sources[1]]
            else:
                y = F.interpolate(a, scale_factor=2, mode='nearest')
            values[op.name] = y = F.relu(y) if op.relu else y
            if seen:
                seen(op.name, y)
        return x[:, :PACKED] + y.float()

    def costs(self):
        """Multiplications for a pixel of the picture."""
        scale, total = {'': 1 / 16}, 0
        for op in self.ops:
            s = scale[op.sources[0]] / op.stride ** 2 * (4 if op.kind == 'up' else 1)
            scale[op.name] = s
            if op.channels:
                total += s * op.channels[0] * op.channels[1] * (9 if op.kind == 'conv' else 1)
        return total


def load_weights(net, path):
    """Takes the weights that export.py has written as fp16."""
    import onnx
    from onnx import numpy_helper
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).astype('float32')) for i in onnx.load(path).graph.initializer
               if i.name.endswith(('_w', '_b'))}
    for name, conv in net.convs.items():
        if name + '_w' not in weights or weights[name + '_w'].shape != conv.weight.shape:
            raise SystemExit(f'{path} is no {net.role} {net.size}')
        conv.weight.data.copy_(weights[name + '_w'])
        conv.bias.data.copy_(weights[name + '_b'])


def pack(y, u, v):
    """Planes N x 1 x H x W and N x 1 x H/2 x W/2 to N x 24 x H/4 x W/4."""
    return torch.cat([F.pixel_unshuffle(y, 4), F.pixel_unshuffle(u, 2), F.pixel_unshuffle(v, 2)], 1)


def to_rgb(packed):
    """N x 24 x H/4 x W/4, BT.601 limited range, 0 to 1, to RGB N x 3 x H x W, 0 to 1."""
    y = (F.pixel_shuffle(packed[:, :16], 4) - 16 / 255) * (255 / 219)
    uv = torch.cat([F.pixel_shuffle(packed[:, 16:20], 2), F.pixel_shuffle(packed[:, 20:24], 2)], 1)
    uv = (F.interpolate(uv, scale_factor=2, mode='bilinear', align_corners=False) - 128 / 255) * (255 / 224)
    u, v = uv[:, :1], uv[:, 1:]
    return torch.cat([y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], 1).clamp(0, 1)
