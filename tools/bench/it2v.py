#!/usr/bin/python3
"""The table of the main job: IT2V over gRPC against libaom and x265 at equal bytes, into docs/benchmarks.md.

For each clip (30 s, 480x270 at 15 fps) and each rate, our sender and receiver stream it in real time; the peers encode every frame of it
at our payload rate. Results are kept in --out: a benchmark that was stopped goes on where it was, and a new build measures ours anew. What
the peers came to is in tools/bench/peers.json as well and is not measured again, as long as the encoders are of the same version.
Needs the built programs (./cmvc setup), Debian's ffmpeg, python3-torch, python3-onnx and python3-opencv, and the folder of clips.
"""
import argparse, os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
import common, ours, peers, table


def main():
    p = argparse.ArgumentParser(prog='it2v.py', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rates', default='8,4,16', type=common.numbers, help='kbit/s on the wire (8,4,16)')
    p.add_argument('--clips', default='bench', help="'bench', or names with commas; a table of other clips is printed, not written")
    p.add_argument('--out', default=os.path.join(common.ROOT, 'artifacts', 'bench'), help='results (artifacts/bench)')
    p.add_argument('--jobs', default=1, type=int, help='peers at a time; of ours one streams at a time')
    p.add_argument('--every', default=6, type=int, help='score every n-th frame (6)')
    only = p.add_mutually_exclusive_group()
    only.add_argument('--ours-only', action='store_true', help='measure ours; the peers are taken as far as they are known')
    only.add_argument('--peers-only', action='store_true', help='measure the peers only, for the results of ours that are known')
    p.add_argument('--payload', type=common.numbers, default=[], help='with --peers-only: payload kbit/s to measure them at, without ours')
    o = p.parse_args()
    if o.payload and not o.peers_only or o.jobs < 1 or o.every < 1:
        p.error('--payload goes with --peers-only; --jobs and --every are 1 or more')
    names = common.clips(o.clips)
    common.onnx_runtime()
    for name in names:      # before anything runs side by side
        common.sequence(o.out, name)
    if o.payload:
        measure_peers(o, [(clip, peers.target(kbps)) for kbps in o.payload for clip in names])
        peers.keep(o.out)
        print('\n'.join(table.of_peers(o.out, names, peers.target(kbps), o.every) for kbps in o.payload))
        return
    mine = measure_ours(o, names)
    if not o.ours_only:
        measure_peers(o, [(clip, peers.target(m['payload_kbps'])) for (_, clip), m in mine.items() if m])
    rows = {rate: [table.Row(o.out, clip, rate, o.every, mine[rate, clip]) for clip in names] for rate in o.rates}
    if not o.ours_only and not o.peers_only:
        for row in (r for all_of in rows.values() for r in all_of):
            row.peers = [peers.with_tlp(o.out, p) if p in (row.best, row.best_equal) else p for p in row.peers]
        peers.keep(o.out)
    sections = [table.of_rate(rate, rows[rate]) for rate in o.rates]
    print('\n'.join(sections))
    if o.clips == 'bench' and all(r.complete for all_of in rows.values() for r in all_of):
        table.into_document(sections, table.about(o.every))
        common.say('docs/benchmarks.md is written')
    else:
        common.say('not everything is measured: docs/benchmarks.md stays as it is')
    for rate in o.rates:
        print(table.summary(rate, rows[rate]))


def measure_ours(o, names):
    jobs = [(rate, clip) for rate in o.rates for clip in names]
    if o.peers_only:
        return {(rate, clip): ours.known(o.out, clip, rate, o.every) for rate, clip in jobs}
    with ThreadPoolExecutor(1) as scorers:      # the other core is the stream's
        futures = {}
        for rate, clip in jobs:
            futures[rate, clip] = ours.measure(o.out, clip, rate, o.every, scorers)
            # Pictures wait as files of 175 MB: no more of them than the one that is being scored, and one.
            while sum(not f.done() for f in futures.values()) > 1:
                wait([f for f in futures.values() if not f.done()], return_when=FIRST_COMPLETED)
        return {job: future.result() for job, future in futures.items()}


def measure_peers(o, wanted):
    with ThreadPoolExecutor(o.jobs) as pool:
        list(pool.map(lambda job: peers.measure(o.out, *job, o.every),
                      [(clip, *peer, kbps) for clip, kbps in dict.fromkeys(wanted) for peer in peers.PEERS]))


if __name__ == '__main__':
    common.command(main)
