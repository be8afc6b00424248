"""LPIPS with the SqueezeNet backbone (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
CVPR 2018), differentiable, with the weights of an ONNX file of it (inputs ref and dist)."""
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import numpy_helper

FIRE = ((2, 3), (2, 4), (3, 6), (3, 7), (4, 9), (5, 10), (6, 11), (7, 12))
POOLED = (3, 6, 9)          # layers that a pooling goes before
TAPPED = (4, 7, 9, 10, 11, 12)


class Lpips(nn.Module):
    def __init__(self, path):
        super().__init__()
        weights = {i.name.removeprefix('core.'): torch.from_numpy(numpy_helper.to_array(i).copy()) for i in onnx.load(path).graph.initializer}
        self.names = {}
        for name, value in weights.items():
            if name.startswith(('net.', 'lins.', 'scaling_layer.')):
                self.names[name] = name.replace('.', '_')
                self.register_buffer(self.names[name], value)

    def w(self, name):
        return getattr(self, self.names[name])

    def conv(self, x, name, **options):
        return F.relu(F.conv2d(x, self.w(name + '.weight'), self.w(name + '.bias'), **options))

    def features(self, rgb):
        """rgb: N x 3 x H x W, 0 to 1."""
        x = (rgb * 2 - 1 - self.w('scaling_layer.shift')) / self.w('scaling_layer.scale')
        x = self.conv(x, 'net.slice1.0', stride=2)
        taps = [x]
        for part, layer in FIRE:
            if layer in POOLED:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            name = f'net.slice{part}.{layer}'
            s = self.conv(x, name + '.squeeze')
            x = torch.cat([self.conv(s, name + '.expand1x1'), self.conv(s, name + '.expand3x3', padding=1)], 1)
            if layer in TAPPED:
                taps.append(x)
        return [t.float() / (t.float().square().sum(1, keepdim=True) + 1e-10).sqrt() for t in taps]

    def distance(self, features, truth):
        return sum(F.conv2d((a - b).square(), self.w(f'lins.{i}.model.1.weight').float()).mean((1, 2, 3))
                   for i, (a, b) in enumerate(zip(features, truth)))

    def forward(self, rgb, truth):
        """Distance of each pair: N."""
        with torch.no_grad():
            truth = self.features(truth)
        return self.distance(self.features(rgb), truth)

    def relative(self, rgb, before, truth, least):
        """Distance of each picture over that of the picture it was made from, plus least: N."""
        with torch.no_grad():
            truth = self.features(truth)
            given = self.distance(self.features(before), truth)
        return self.distance(self.features(rgb), truth) / (given + least)
