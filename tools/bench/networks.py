#!/usr/bin/env python3
"""What networks at the receiver bring: the same clips over the same link with `--network none` and with networks.

    tools/bench/networks.py measure [--rates 8] [--network auto] [--others tools/bench/evaluation.json]
    tools/bench/networks.py document

measure streams the sixteen clips of the comparison with the real programs, in real time, without and with networks, and scores both as `cmvc evaluate` does; kept in
artifacts/networks, goes on where it was stopped; 40 s a clip and rate each. It wants the machine for itself. document writes the table into docs/benchmarks.md.
"""
import argparse, json, os, subprocess
from common import ROOT, BenchError, command, program, say, shared

KEPT = os.path.join(ROOT, 'artifacts', 'networks')
RESULT = os.path.join(ROOT, 'tools', 'bench', 'networks.json')
DOCUMENT = os.path.join(ROOT, 'docs', 'benchmarks.md')
BEGIN, END = '<!-- networks: begin -->', '<!-- networks: end -->'
METRICS = ('lpips', 'tlp', 'ssim', 'psnr')


def clips():
    folder = os.path.join(shared(), 'media')
    with open(os.path.join(folder, 'INDEX.tsv')) as index:
        return [os.path.join(folder, 'dev', line.split('\t')[0]) for line in index if line.rstrip().endswith('\tbench')]


def measure(options):
    results = {}
    for name, network in (('without', 'none'), ('with', options.network)):
        folder = os.path.join(KEPT, name)
        arguments = ['--rates', options.rates, '--every', '17', '--lpips', os.path.join(shared(), 'eval', 'lpips_sq.onnx'), '--network', network, '--report', folder]
        arguments += ['--others', options.others] if options.others and name == 'with' else ['--against', 'none']
        say(f'{name} networks')
        done = subprocess.run([program('cmvc-evaluate'), *clips(), *arguments])
        if done.returncode not in (0, 1):
            raise BenchError(f'cmvc evaluate ended with {done.returncode}')
        with open(os.path.join(folder, 'evaluation.json')) as file:
            results[name] = json.load(file)
    rows = []
    for before, after in zip(results['without']['clips'], results['with']['clips']):
        for a, b in zip(before['ours'], after['ours']):
            pick = lambda o: dict(wire=o['wire_kbps'], payload=o['payload_kbps'], **{m: o['scores'][m] for m in METRICS if m in o['scores']})
            rows.append(dict(clip=before['name'], rate=a['rate_kbps'], before=pick(a), after=pick(b)))
    made = results['with']['made']
    with open(RESULT, 'w') as file:
        json.dump(dict(date=made['date'], machine=made['machine'], product=made['product'], network=options.network, rows=rows), file, indent=1)
        file.write('\n')


def document(_):
    with open(RESULT) as file:
        result = json.load(file)
    lines = [f'Made {result["date"]} on {result["machine"]}; product {result["product"]}, `--network {result["network"]}`. In each cell: without, with.', '',
             '| clip | kbit/s | wire | LPIPS | change | tLP | SSIM | PSNR |', '|---|---|---|---|---|---|---|---|']
    for rate in sorted({r['rate'] for r in result['rows']}):
        rows = [r for r in result['rows'] if r['rate'] == rate]
        for r in rows:
            a, b = r['before'], r['after']
            lines.append(f'| {r["clip"]} | {rate:g} | {a["wire"]:.2f}, {b["wire"]:.2f} | {a["lpips"]:.4f}, {b["lpips"]:.4f} | {100 * (b["lpips"] / a["lpips"] - 1):+.0f} % | '
                         f'{a["tlp"]:.4f}, {b["tlp"]:.4f} | {a["ssim"]:.4f}, {b["ssim"]:.4f} | {a["psnr"]:.2f}, {b["psnr"]:.2f} |')
        mean = lambda key, which: sum(r[which][key] for r in rows) / len(rows)
        change = sum(r['after']['lpips'] / r['before']['lpips'] - 1 for r in rows) / len(rows)
        lines.append(f'| **mean** | {rate:g} | ' + ' | '.join([f'{mean("wire", "before"):.2f}, {mean("wire", "after"):.2f}', f'{mean("lpips", "before"):.4f}, {mean("lpips", "after"):.4f}',
                     f'**{100 * change:+.1f} %**', *(f'{mean(m, "before"):.4f}, {mean(m, "after"):.4f}' for m in ('tlp', 'ssim')),
                     f'{mean("psnr", "before"):.2f}, {mean("psnr", "after"):.2f}']) + ' |')
    with open(DOCUMENT) as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        raise BenchError(f'{DOCUMENT} has no lines {BEGIN} and {END}')
    head, rest = text.split(BEGIN)
    with open(DOCUMENT, 'w') as file:
        file.write(head + BEGIN + '\n\n' + '\n'.join(lines) + '\n\n' + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    one = parts.add_parser('measure')
    one.add_argument('--rates', default='8')
    one.add_argument('--network', default='auto')
    one.add_argument('--others', help='an evaluation with the encodings of the others, to compare with')
    one.set_defaults(run=measure)
    parts.add_parser('document').set_defaults(run=document)
    options = parser.parse_args()
    options.run(options)


if __name__ == '__main__':
    command(main)
