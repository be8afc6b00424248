#!/usr/bin/python3
"""What the sender's choices bring: change-driven against even spacing, motion against none, into docs/benchmarks.md.

Each of some training clips, and some sequences of shots of other training clips (30 s, 480x270 at 15 fps) goes through sender, link and receiver in virtual time (cmvc-simulate), so that
neither the load of the machine nor its speed changes the result, and several run at a time.
Needs the built programs (./cmvc setup, ./cmvc setup evaluate), ffmpeg and the folder of clips and scorer.
"""
import argparse, math, os, re
from concurrent.futures import ThreadPoolExecutor
from statistics import mean, stdev
import common
from common import ROOT

CLIPS = ['liveportrait-d12', 'pbls-cattoy', 'tennis-tracking-video_input3', 'video-llama-boat', 'imageai-traffic-mini',
         'vmaf_resource-seeking_30_480_1050', 'video-depth-anything-davis_rollercoaster', 'videollama2-1034346401', 'ask-anything-hitting_baseball',
         'video-retalking-4']
# A shot of each, with hard cuts between.
SHOTS = {
    'shots 1': ['liveportrait-d20', 'mmaction2-demo', 'lipnet-lbbc2a', 'tennis-tracking-video_input4', 'mmskeleton-ta_chi', 'sample-videos-car-detection',
                'tune-a-video-man-surfing', 'liveportrait-d19'],
    'shots 2': ['iacv_background_subtractor-16_5', 'mmaction2-test', 'face_recognition-short_hamilton_clip', 'lipnet-lbax4n', 'tennis-tracking-video_input5',
                'vehicle_counting_tensorflow-input_video', 'thin-plate-spline-motion-model-driving', 'sample-videos-sister'],
}
VARIANTS = {'as it is': [], 'even spacing': ['--uniform'], 'no motion': ['--no-motion']}


def main():
    p = argparse.ArgumentParser(prog='choices.py', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rates', default='7,9', type=common.numbers, help='kbit/s on the wire (7,9): two runs of a clip that differ as noise does')
    p.add_argument('--out', default=os.path.join(ROOT, 'artifacts', 'bench'), help='sequences and scratch files (artifacts/bench)')
    p.add_argument('--jobs', default=os.cpu_count(), type=int, help='simulations at a time')
    p.add_argument('--every', default=11, type=int, help='score every n-th frame (11)')
    o = p.parse_args()
    jobs = [(clip, name, rate) for clip in [*CLIPS, *SHOTS] for name in VARIANTS for rate in o.rates]
    for clip in [*CLIPS, *SHOTS]:
        source(o.out, clip)
    with ThreadPoolExecutor(o.jobs) as pool:
        results = dict(zip(jobs, pool.map(lambda job: simulate(o, *job), jobs)))
    table = section(o.rates, results)
    print(table)
    if o.rates == common.numbers(p.get_default('rates')):
        common.into_document('choices', table)


def source(out, name):
    """A clip's sequence, or that of the shots of this name."""
    return common.shots(out, name, SHOTS[name]) if name in SHOTS else common.sequence(out, name)


def simulate(o, clip, name, rate):
    """LPIPS and payload (kbit/s) of one run."""
    shown = os.path.join(o.out, f'choices-{clip}-{name}-{rate:g}.y4m'.replace(' ', '-'))
    try:
        said = common.run([common.program('cmvc-simulate'), source(o.out, clip), '--rate', f'{rate:g}kbps', '--out', shown, *VARIANTS[name]])
        score = common.score(source(o.out, clip), shown, o.every)
    finally:
        common.remove(shown)
    return score['lpips'], float(re.search(r'payload ([\d.]+)', said)[1])


def section(rates, results):
    def average(clip, name, i):
        return mean(results[clip, name, rate][i] for rate in rates)

    lines = [f"LPIPS (payload in kbit/s), means of the rates {', '.join(f'{r:g}' for r in rates)} kbit/s:", '',
             '| clip | ' + ' | '.join(VARIANTS) + ' |', '|---' * (len(VARIANTS) + 1) + '|']
    for clip in [*CLIPS, *SHOTS]:
        lines.append(f'| {clip} | ' + ' | '.join(f'{average(clip, n, 0):.4f} ({average(clip, n, 1):.2f})' for n in VARIANTS) + ' |')
    for what, of in (('mean of the clips', CLIPS), ('mean of the shots', SHOTS)):
        lines.append(f'| **{what}** | ' + ' | '.join(f'{mean(average(c, n, 0) for c in of):.4f} ({mean(average(c, n, 1) for c in of):.2f})' for n in VARIANTS) + ' |')
    lines.append('| **LPIPS, all, against as it is** | ' + ' | '.join(change(results, n) for n in VARIANTS) + ' |')
    return '\n'.join(lines)


def change(results, name):
    """Mean and standard error of the change of LPIPS from run to run, in per cent."""
    logs = [math.log(results[clip, name, rate][0] / results[clip, 'as it is', rate][0]) for clip, n, rate in results if n == name]
    error = stdev(logs) / math.sqrt(len(logs))
    return f'{100 * mean(logs):+.1f} % ± {100 * error:.1f}'


if __name__ == '__main__':
    common.command(main)
