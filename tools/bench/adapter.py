#!/usr/bin/python3
"""What an adapter brings: fitted to the first 60 % of a clip, shown on the rest of it, at 8 kbit/s, into docs/benchmarks.md.

The clips are of cameras that do not move and that the network was not trained on. Sender, link and receiver run in virtual time (cmvc-simulate), so that the load of
the machine changes no result. Needs the built programs (./cmvc setup, ./cmvc setup evaluate), ffmpeg, what tools/training needs, and the folder of clips and scorer.
"""
import argparse, os, re
import common
from common import ROOT

CLIPS = ['pbls-guitar', 'imageai-traffic-mini']
SHARE, FIT_SECONDS = .6, 24
METRICS = ('lpips', 'tlp', 'ssim', 'psnr')


def main():
    p = argparse.ArgumentParser(prog='adapter.py', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--network', default='restore-medium')
    p.add_argument('--rate', default=8, type=float, help='kbit/s on the wire (8)')
    p.add_argument('--steps', default=300, type=int)
    p.add_argument('--out', default=os.path.join(ROOT, 'artifacts', 'bench', 'adapter'), help='parts of clips and adapters (artifacts/bench/adapter)')
    p.add_argument('--every', default=11, type=int, help='score every n-th frame (11)')
    o = p.parse_args()
    os.makedirs(o.out, exist_ok=True)
    lines = [f'Made on {" and ".join(common.made_on())}, `--network {o.network}`, {o.rate:g} kbit/s. In each cell: without a network, with it, with it and the adapter.', '',
             '| clip | LPIPS | by the adapter | tLP | SSIM | PSNR | fitting |', '|---|---|---|---|---|---|---|']
    for clip in CLIPS:
        fit, show = part(o.out, clip, True), part(o.out, clip, False)
        said = common.run(['/usr/bin/python3', os.path.join(ROOT, 'tools', 'training', 'adapt.py'), fit, '--name', clip, '--out', o.out, '--base', o.network, '--steps', str(o.steps)])
        seconds = re.search(r'(\d+) s$', said.strip())[1]
        scores = [simulate(o, clip, show, extra) for extra in
                  ([], ['--network', o.network], ['--network', o.network, '--adapter', os.path.join(o.out, clip + '.safetensors')])]
        cells = {m: ', '.join(f'{s[m]:.{2 if m == "psnr" else 4}f}' for s in scores) for m in METRICS}
        lines.append(f'| {clip} | {cells["lpips"]} | {100 * (scores[2]["lpips"] / scores[1]["lpips"] - 1):+.0f} % | {cells["tlp"]} | {cells["ssim"]} | {cells["psnr"]} | {seconds} s |')
        print(lines[-1], flush=True)
    common.into_document('adapter', '\n'.join(lines))


def part(out, clip, first):
    """The clip's first part, or the rest, to and fro; made once."""
    made = os.path.join(out, f'{clip}-{"fit" if first else "show"}.mp4')
    if not os.path.exists(made):
        source, cut = os.path.join(common.shared(), 'media', 'dev', clip + '.mp4'), os.path.join(out, f'cut-{clip}.mp4')
        length = float(common.run(['ffprobe', '-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', source])) * SHARE
        common.run(['ffmpeg', '-v', 'error', '-y', *(['-t', str(length)] if first else ['-ss', str(length)]), '-i', source, '-an', '-c:v', 'libx264', '-crf', '10', cut])
        common.run(['sh', os.path.join(common.shared(), 'eval', 'sequence.sh'), cut, made + '.partial.mp4', str(FIT_SECONDS if first else common.SECONDS)])
        os.replace(made + '.partial.mp4', made)
        common.remove(cut)
    return made


def simulate(o, clip, show, extra):
    """Scores of one run."""
    shown = os.path.join(o.out, f'shown-{clip}.y4m')
    try:
        common.run([common.program('cmvc-simulate'), show, '--rate', f'{o.rate:g}kbps', '--out', shown, *extra])
        return common.score(show, shown, o.every)
    finally:
        common.remove(shown)


if __name__ == '__main__':
    common.command(main)
