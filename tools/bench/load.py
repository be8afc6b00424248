#!/usr/bin/python3
"""How busy the machine is with sender, link, receiver and the viewer page in headless Chromium, into docs/benchmarks.md.

Runs './cmvc demo' and Chromium on its page and reads the kernel's counters: share of all cores, and CPU seconds a second by program.
Wants the machine for itself. Needs the built programs (./cmvc setup test).
"""
import argparse, os, shutil, signal, subprocess, tempfile, time, urllib.request
import common
from common import BenchError, ROOT

TICK = os.sysconf('SC_CLK_TCK')


def main():
    p = argparse.ArgumentParser(prog='load.py', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--seconds', default=40, type=int, help='measured, after 10 s of start (40)')
    p.add_argument('--source', default='synthetic:street', help='what the demo sends (synthetic:street)')
    o = p.parse_args()
    chromium = shutil.which('chromium') or shutil.which('google-chrome')
    if not chromium:
        raise BenchError("Chromium is not installed; './cmvc setup test' installs it where that is possible")
    url = common.free_url()
    with tempfile.TemporaryDirectory() as profile, open(os.devnull, 'w') as nowhere:
        quiet = dict(stdout=nowhere, stderr=nowhere, stdin=subprocess.DEVNULL, start_new_session=True)
        idle = machine(5)
        demo = subprocess.Popen([os.path.join(ROOT, 'cmvc'), 'demo', '--source', o.source, '--view', url, '--no-browser', '--for', f'{o.seconds + 60}s'], **quiet)
        browser = None
        try:
            await_page(url, demo)
            browser = subprocess.Popen([chromium, '--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', f'--user-data-dir={profile}', url], **quiet)
            time.sleep(10)
            before = programs()
            busy = machine(o.seconds)
            after = programs()
        finally:
            for process in (browser, demo):
                if process:
                    os.killpg(process.pid, signal.SIGTERM)
            for process in (browser, demo):
                if process:
                    process.wait(20)
    used = {name: (after[name] - before.get(name, 0)) / o.seconds for name in after if after[name] > before.get(name, 0)}
    lines = [f'{o.source} at 8 kbit/s, {os.cpu_count()} cores, {o.seconds} s: **{100 * busy:.0f} %** of the machine busy ({100 * idle:.0f} % before the start).', '',
             '| program | cores |', '|---|---|', *(f'| {name} | {used.get(name, 0):.2f} |' for name in ('cmvc-send', 'ffmpeg', 'cmvc-throttle', 'cmvc-receive', 'chromium') if name in used)]
    print('\n'.join(lines))
    common.into_document('load', '\n'.join(lines))


def await_page(url, demo):
    for _ in range(600):
        if demo.poll() is not None:
            raise BenchError(f'the demo ended with {demo.returncode}')
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(.2)
    raise BenchError(f'the demo did not serve {url}')


def machine(seconds):
    """Share of all cores that was busy."""
    def read():
        with open('/proc/stat') as f:
            values = [int(v) for v in f.readline().split()[1:9]]
        return sum(values), values[3] + values[4]
    total, idle = read()
    time.sleep(seconds)
    total_after, idle_after = read()
    return 1 - (idle_after - idle) / (total_after - total)


def programs():
    """CPU seconds so far by program."""
    used = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat') as f:
                name, rest = f.read().split('(', 1)[1].rsplit(')', 1)
        except OSError:
            continue    # it has ended meanwhile
        name = 'chromium' if name.startswith('chrom') else name
        used[name] = used.get(name, 0) + sum(map(int, rest.split()[11:13])) / TICK
    return used


if __name__ == '__main__':
    common.command(main)
