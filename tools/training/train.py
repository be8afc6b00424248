#!/usr/bin/python3
"""Trains a network of the model pack, on a GPU where there is one, else on the CPU.

    train.py restore|interpolate --data DIR --run DIR [--size medium] [--steps 15000] [--batch 8] [--crop 128] [--lpips FILE]

DIR of --run keeps a checkpoint, from which an interrupted run goes on (another --steps changes the schedule of the learning rate), and
log.tsv: what is reported there is measured on whole pictures of clips that are not trained on. export.py makes the ONNX files of it. Needs
PyTorch (Debian: python3-torch), NumPy, onnx.
"""
import argparse
import copy
import math
import os
import pathlib
import time

import torch

import data
import networks
from lpips import Lpips

SHARED = os.environ.get('CMVC_SHARED', str(pathlib.Path(__file__).resolve().parents[3] / 'shared'))


# What a picture that is nearly right already counts as, so that its noise is not all that matters.
LEAST_CHARBONNIER, LEAST_LPIPS = .004, .02


def charbonnier_of(picture, truth):
    return ((picture - truth).square() + 1e-6).sqrt().mean((1, 2, 3))


def loss_of(net, lpips, x, truth, perceptual):
    """Charbonnier and LPIPS of a batch, each over that of what goes in, so that good pictures count as much as bad ones."""
    before, device = x[:, :networks.PACKED], x.device.type
    with torch.autocast(device, dtype=torch.bfloat16):
        y = net(x)
    charbonnier = (charbonnier_of(y, truth) / (charbonnier_of(before, truth) + LEAST_CHARBONNIER)).mean()
    with torch.autocast(device, dtype=torch.bfloat16):
        return charbonnier + perceptual * lpips.relative(networks.to_rgb(y), networks.to_rgb(before), networks.to_rgb(truth), LEAST_LPIPS).mean()


def score(net, files, lpips, device, each=2):
    """Mean over clips: LPIPS and L1 of what goes in and of what comes out, and the ratio of LPIPS."""
    sums = torch.zeros(5)
    net.eval()
    with torch.no_grad():
        for f in files:
            picks = torch.linspace(0, len(f) - 1, each + 2).long()[1:-1].tolist()
            total = torch.zeros(4)
            for i in picks:
                x, truth = (t.to(device) for t in data.whole(f, i, networks.ALIGN))
                y = (net(x).clamp(0, 1) * 255).round() / 255
                rgb = networks.to_rgb(truth)
                before = x[:, :networks.PACKED]
                total += torch.tensor([lpips(networks.to_rgb(before), rgb).item(), lpips(networks.to_rgb(y), rgb).item(),
                                       (before - truth).abs().mean().item(), (y - truth).abs().mean().item()])
            mean = total / len(picks)
            sums += torch.cat([mean, mean[1:2] / mean[:1]])
    net.train()
    return (sums / len(files)).tolist()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('role', choices=list(networks.INPUTS))
    p.add_argument('--data', required=True, type=pathlib.Path)
    p.add_argument('--run', required=True, type=pathlib.Path)
    p.add_argument('--size', default='medium', choices=list(networks.SIZES))
    p.add_argument('--steps', type=int, default=15000)
    p.add_argument('--batch', type=int, default=8)
    p.add_argument('--crop', type=int, default=128)
    p.add_argument('--rate', type=float, default=5e-4, help='learning rate at the start')
    p.add_argument('--perceptual', type=float, default=2, help='weight of LPIPS beside Charbonnier')
    p.add_argument('--from', dest='begin', type=pathlib.Path, help="begin with the weights of this pack's FILE.fp16.onnx")
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--report', type=int, default=500, help='steps between reports and checkpoints')
    p.add_argument('--threads', type=int, default=os.cpu_count())
    p.add_argument('--lpips', default=SHARED + '/eval/lpips_sq.onnx')
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    o.run.mkdir(parents=True, exist_ok=True)
    trained, held = data.load(o.data, o.role)
    net = networks.Network(o.role, o.size).to(device)
    if o.begin:
        networks.load_weights(net, o.begin)
    mean = copy.deepcopy(net)
    lpips = Lpips(o.lpips).to(device)
    optimizer = torch.optim.Adam(net.parameters(), o.rate, betas=(.9, .99))
    file, step = o.run / 'checkpoint.pt', 0
    if file.exists():
        state = torch.load(file, map_location=device)
        if (state['role'], state['size']) != (o.role, o.size):
            raise SystemExit(f'{file} is of a {state["role"]} {state["size"]}: choose another --run')
        net.load_state_dict(state['net'])
        mean.load_state_dict(state['mean'])
        optimizer.load_state_dict(state['optimizer'])
        step = state['step']
    batches = data.Batches(trained, o.batch, o.crop, o.seed + step)
    log = open(o.run / 'log.tsv', 'a', buffering=1)
    if log.tell() == 0:
        log.write('step\tloss\tlpips_in\tlpips_out\tl1_in\tl1_out\tratio\tseconds\n')
    print(f'{o.role} {o.size}: {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, {net.costs() / 1e3:.0f} k multiplications a pixel, '
          f'{sum(map(len, trained))} samples of {len(trained)} files, {len(held)} held out, from step {step}, on {device}', flush=True)
    total, count, began = 0., 0, time.time()
    while step < o.steps:
        for group in optimizer.param_groups:
            group['lr'] = o.rate * min(1, (step + 1) / 200) * (.02 + .98 * .5 * (1 + math.cos(math.pi * step / o.steps)))
        x, truth = (t.to(device) for t in batches.next())
        loss = loss_of(net, lpips, x, truth, o.perceptual)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5)
        optimizer.step()
        step += 1
        decay = min(.999, step / (step + 50))
        with torch.no_grad():
            for a, b in zip(mean.parameters(), net.parameters()):
                a.lerp_(b, 1 - decay)
        total, count = total + loss.item(), count + 1
        if step % o.report == 0 or step == o.steps:
            seconds = time.time() - began
            scores = score(mean, held, lpips, device)
            log.write('\t'.join([str(step), f'{total / count:.5f}'] + [f'{s:.5f}' for s in scores] + [f'{seconds:.0f}']) + '\n')
            part = file.with_suffix('.part')
            torch.save(dict(role=o.role, size=o.size, step=step, net=net.state_dict(), mean=mean.state_dict(), optimizer=optimizer.state_dict(),
                            options={k: str(v) for k, v in vars(o).items() if k not in ('data', 'run', 'lpips', 'begin', 'threads', 'report')}, files=[f.path.name for f in trained],
                            samples=sum(map(len, trained)), scores=scores), part)
            part.rename(file)
            total, count, began = 0., 0, time.time()


if __name__ == '__main__':
    main()
