#!/usr/bin/env python3
"""What networks at the receiver bring: the same clips over the same link with `--network none` and with networks.

    tools/bench/networks.py measure [--rates 8] [--network auto]
    tools/bench/networks.py document [--others tools/bench/evaluation.json]

measure streams the sixteen clips of the comparison with the real programs, in real time, without and with networks, and scores both as `cmvc evaluate` does; kept in
artifacts/networks, goes on where it was stopped; 40 s a clip and rate each. It wants the machine for itself. document writes the table into docs/benchmarks.md,
and compares with the others' encodings of an evaluation: at the bytes on the wire that ours used, with the one of x265, libaom and SVT-AV1, at any size, frame
rate and setting, that has the lowest LPIPS there.
"""
import argparse, collections, json, math, os, subprocess
from common import ROOT, BenchError, command, into_document, program, say, shared

KEPT = os.path.join(ROOT, 'artifacts', 'networks')
RESULT = os.path.join(ROOT, 'tools', 'bench', 'networks.json')
OTHERS = ('x265', 'libaom', 'svtav1')
METRICS = ('lpips', 'tlp', 'ssim', 'psnr')


def clips():
    folder = os.path.join(shared(), 'media')
    with open(os.path.join(folder, 'INDEX.tsv')) as index:
        return [os.path.join(folder, 'dev', line.split('\t')[0]) for line in index if line.rstrip().endswith('\tbench')]


def measure(options):
    results = {}
    for name, network in (('without', 'none'), ('with', options.network)):
        folder = os.path.join(KEPT, name)
        arguments = ['--rates', options.rates, '--every', '17', '--lpips', os.path.join(shared(), 'eval', 'lpips_sq.onnx'), '--network', network, '--against', 'none', '--report', folder]
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


def best_other(peers, wire):
    """The encoding with the lowest LPIPS at these bytes on the wire: its name, LPIPS and tLP there, linear in the logarithm of the rate; None: none can send so few."""
    ladders = collections.defaultdict(list)
    for p in peers:
        if p['codec'] in OTHERS:
            ladders[f"{p['codec']} 1/{p['size']} 1/{p['rate']}{' lookahead' if p['setting'] == 'lookahead' else ''}"].append(
                (p['wire_kbps'], p['scores']['lpips'], p['scores']['tlp']))
    found = []
    for name, ladder in ladders.items():
        ladder.sort()
        for a, b in zip(ladder, ladder[1:]):
            if a[0] <= wire <= b[0] and a[0] < b[0]:
                share = math.log(wire / a[0]) / math.log(b[0] / a[0])
                found.append((a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]), name))
        if ladder[-1][0] < wire:                            # more bytes help it no more
            found.append((ladder[-1][1], ladder[-1][2], name))
    return min(found, default=None)


def against(result, others):
    """The table against the best other."""
    with open(others) as file:
        evaluation = json.load(file)
    peers = {c['name']: c['peers'] for c in evaluation['clips']}
    lines = []
    for rate in sorted({r['rate'] for r in result['rows']}):
        earlier = {c['name']: o['scores'] for c in evaluation['clips'] for o in c['ours'] if o['rate_kbps'] == rate}
        same = [(earlier[r['clip']], r['after']) for r in result['rows'] if r['rate'] == rate and r['clip'] in earlier]
        if same:
            change = sum(b['lpips'] / a['lpips'] - 1 for a, b in same) / len(same)
            means = lambda i: ', '.join(f'{sum(pair[i][m] for pair in same) / len(same):.4f}' for m in ('lpips', 'tlp', 'ssim'))
            lines += ['', f'At {rate:g} kbit/s against the build of the comparison above ({evaluation["made"]["product"]}, no networks, and less of the link used): LPIPS {100 * change:+.1f} % on average; '
                      f'means of LPIPS, tLP and SSIM {means(0)} then, {means(1)} now.']
        lines += ['', f'At {rate:g} kbit/s, on the wire, against the one of x265, libaom and SVT-AV1 with the lowest LPIPS at the same bytes (codec, size, frame rate):', '',
                  '| clip | wire | LPIPS | tLP | best other | its LPIPS | its tLP | both better |', '|---|---|---|---|---|---|---|---|']
        won = dict(lpips=0, tlp=0, both=0)
        rows = [r for r in result['rows'] if r['rate'] == rate]
        for r in rows:
            ours, other = r['after'], best_other(peers[r['clip']], r['after']['wire'])
            better = [other is None or ours[m] < v for m, v in zip(('lpips', 'tlp'), other or (0, 0))]
            for key, value in zip(won, (*better, all(better))):
                won[key] += value
            theirs = f'{other[2]} | {other[0]:.4f} | {other[1]:.4f}' if other else 'none can send so few | |'
            lines.append(f'| {r["clip"]} | {ours["wire"]:.2f} | {ours["lpips"]:.4f} | {ours["tlp"]:.4f} | {theirs} | {"yes" if all(better) else "no"} |')
        lines.append(f'| **better** | | **{won["lpips"]} of {len(rows)}** | **{won["tlp"]} of {len(rows)}** | | | | **{won["both"]} of {len(rows)}** |')
    return lines


def document(options):
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
    lines += against(result, options.others)
    into_document('networks', '\n'.join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    one = parts.add_parser('measure')
    one.add_argument('--rates', default='8')
    one.add_argument('--network', default='auto')
    one.set_defaults(run=measure)
    two = parts.add_parser('document')
    two.add_argument('--others', default=os.path.join(ROOT, 'tools', 'bench', 'evaluation.json'), help='an evaluation with the encodings of the others')
    two.set_defaults(run=document)
    options = parser.parse_args()
    options.run(options)


if __name__ == '__main__':
    command(main)
