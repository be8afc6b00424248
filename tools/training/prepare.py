#!/usr/bin/env python3
"""Runs the real sender and receiver, in virtual time, over clips at several rates, and keeps what the networks are trained on.

    prepare.py restore|interpolate CLIP... --out DIR [--rates 6,10,16] [--jobs 2] [--network restore-medium] [--models FOLDER]
               [--simulate PROGRAM]

restore: each keyframe as decoded, with its truth. interpolate: pictures between keyframes as the receiver makes them (with the
restoring network that --network names, of FOLDER or the built-in pack), with their truth. A file per clip and rate; those that are there are kept, so that an
interrupted run goes on. Build the program first: dotnet build tools/CmvcStream.Simulate -c Release
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SIMULATE = HERE.parent / 'CmvcStream.Simulate/bin/Release/net10.0/cmvc-simulate'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('role', choices=['restore', 'interpolate'])
    p.add_argument('clips', nargs='+', type=pathlib.Path)
    p.add_argument('--out', required=True, type=pathlib.Path)
    p.add_argument('--rates', default='6,10,16', help='kbit/s on the wire')
    p.add_argument('--jobs', type=int, default=os.cpu_count())
    p.add_argument('--network', default='restore-medium', help='restores keyframes, for interpolate')
    p.add_argument('--models', type=pathlib.Path)
    p.add_argument('--simulate', type=pathlib.Path, default=SIMULATE)
    o = p.parse_args()
    if not o.simulate.exists():
        sys.exit(f'prepare: {o.simulate} is missing: dotnet build tools/CmvcStream.Simulate -c Release')
    o.out.mkdir(parents=True, exist_ok=True)
    flag, ending = ('--pairs', 'pairs') if o.role == 'restore' else ('--triples', 'triples')

    def make(clip, rate):
        target = o.out / f'{clip.stem}.{rate}.{ending}'
        if target.exists():
            return
        part = target.with_suffix('.partial')
        command = [o.simulate, clip, '--rate', f'{rate}kbps', flag, part]
        if o.role == 'interpolate':
            command += ['--network', o.network]
        if o.models:
            command += ['--models', o.models]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return f'{clip.name} at {rate} kbit/s: {(done.stderr or done.stdout).strip().splitlines()[-1:]}'
        part.rename(target)

    faults = 0
    tasks = [(c, r) for r in o.rates.split(',') for c in o.clips]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for i, fault in enumerate(pool.map(lambda t: make(*t), tasks)):
            if fault:
                faults += 1
                print(fault, file=sys.stderr)
            if i % 20 == 19:
                print(f'{i + 1} of {len(tasks)}', flush=True)
    if faults == len(tasks):
        sys.exit('prepare: nothing was prepared')


if __name__ == '__main__':
    main()
