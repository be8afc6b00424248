#!/usr/bin/python3
"""The link's control with the real programs, into docs/link.md: cmvc-send, cmvc-throttle and cmvc-receive in real time on this machine.

  a  constant links: utilisation, queueing, freezes, latency        b  a step down and up again: the modes
  c  recorded links (the folder of traces)                          d  an outage; receiver and sender killed and started again
  e  first light: text, first picture, full-size picture

Results are kept in --out: a benchmark that was stopped goes on where it was, and a new build is measured anew. One run at a time, some
35 minutes in all; it wants the machine for itself. Needs the built programs (./cmvc setup) and ffmpeg.
"""
import argparse, bisect, math, os, signal, statistics, subprocess, time
import common, linkplot
from chain import Chain, PROGRAMS, SHOWN_FPS
from common import BenchError, ROOT

CLIP, TRACE_MEAN, IMAGES_BELOW = 'imageai-traffic-mini', 8000, 2500
TRACES = ('ATT-LTE-driving-2016.up', 'TMobile-UMTS-driving.up', 'Verizon-EVDO-driving.down', 'Verizon-EVDO-driving.up')
LATENCIES = 4096    # values that the receiver's percentiles of latency are of: the last ones


class Trace:
    """A link recorded in Mahimahi's format, scaled to TRACE_MEAN."""

    def __init__(self, file):
        with open(file) as f:
            self.times = [int(line) for line in f if line.strip() and line[0] != '#']
        self.scale = TRACE_MEAN * self.times[-1] / (len(self.times) * 1500 * 8000)

    def before(self, t):
        rounds, rest = divmod(t * 1000, self.times[-1])
        return int(rounds) * len(self.times) + bisect.bisect_left(self.times, rest)

    def bps(self, t, width):
        """The mean around a time."""
        since, until = max(t - width / 2, 0), t + width / 2
        return (self.before(until) - self.before(since)) * 1500 * self.scale * 8 / (until - since)

    def drains_in(self, t, queued):
        """Seconds until so many bytes have left."""
        rounds, k = divmod(self.before(t) + math.ceil(queued / (1500 * self.scale)) - 1, len(self.times))
        return (rounds * self.times[-1] + self.times[k]) / 1000 - t if queued else 0


def constant(c, q, rate):
    settled, end = (8, 25) if q else (15, 75)
    c.watch(end)
    link, since, until = c.control(), c.connected + settled, c.connected + end
    c.finish()
    first, last = next(s for s in c.samples if s['wall'] >= since), c.samples[-1]
    late = latencies(c, since, until)
    return dict(utilisation=(last['bytes'] - first['bytes']) * 8 / (rate * 1000 * (last['wall'] - first['wall'])), queue_p95_s=link['up']['queue_ms']['p95'] / 1000,
                freeze_s=freeze([w for w, _ in c.new()], since, until), latency_p50_s=percentile(late, .5), latency_p95_s=percentile(late, .95),
                tt2v_s=c.stats('send')['modes']['tt2v_s'])


def step(c, q, delay):
    down, up, end = (20, 45, 75) if q else (60, 120, 180)
    c.watch(down)
    c.control(rate='2kbps')
    c.watch(up)
    c.control(rate='16kbps')
    c.watch(end)
    modes = c.modes()
    for s in c.samples:
        s['queue'] = s['queued'] * 8 / s['capacity']
    return dict(to_tt2v_s=next((t - down for t, mode in modes if mode == 'TT2V' and down <= t < up), None),
                to_it2v_s=next((t - up for t, mode in modes if mode == 'IT2V' and t >= up), None),
                switches=[sum(since <= t < until for t, _ in modes[1:]) for since, until in ((0, down), (down, up), (up, end))],
                queue_s=c.control()['up']['queue_ms']['max'] / 1000, unavoidable_s=16 / 2 * 2 * delay / 1000, **series(c))


def recorded(c, q, file):
    end, settled, trace = 40 if q else 120, 8 if q else 15, Trace(file)
    c.watch(end)
    link, modes, since, until = c.control(), c.modes(), c.connected + settled, c.connected + end
    c.finish()
    for s in c.samples:
        at = s['wall'] - c.relay_began
        s.update(capacity=trace.bps(at, 1), queue=trace.drains_in(at, s['queued']))
    text = [(c.connected + t, c.connected + u) for (t, mode), (u, _) in zip(modes, [*modes[1:], (end, '')]) if mode == 'TT2V']
    slow = sum(trace.bps(c.connected - c.relay_began + k / 10, 5) < IMAGES_BELOW for k in range(end * 10)) / 10
    shown = [w for w, _ in c.new()]
    return dict(switches=len(modes) - 1, tt2v_s=sum(u - t for t, u in text), slow_s=slow, queue_s=link['up']['queue_ms']['max'] / 1000,
                freeze_s=freeze(shown, since, until), freeze_it2v_s=freeze(shown, since, until, text), **series(c))


def outage(c, q):
    back = (12 + 6) if q else (45 + 20)
    c.sample()
    c.watch(c.relay_began + back - c.connected)
    back += c.relay_began
    return dict(s=c.await_(lambda: [w for w, _ in c.new() if w > back], 'no new picture came')[0] - back)


def receiver_killed(c, q):
    c.watch(12 if q else 30)
    c.kill('receive')
    c.receive(c.url)
    up = time.time()
    return dict(s=c.await_(c.new, 'no new picture came')[0][0] - up)


def sender_killed(c, q):
    c.watch(12 if q else 30)
    c.kill('send')
    c.send()
    return dict(s=c.await_(lambda: c.new('-2'), 'no new picture came')[0][0] - c.connected)


def light(c, q, what):
    c.await_(lambda: (r := c.stats('receive')) and r['start_ms'][what[-1]] is not None, f'nothing was seen of the {what[-1]}')
    time.sleep(2)
    c.sample()      # another date of the statistics
    start = c.stats('receive')['start_ms']
    return {w + '_s': c.wall('receive', start[w]) - c.connected for w in what}


def latencies(c, since, until):
    """
    Capture to presentation of each new picture. The sender tells the receiver, not us, when source time 0 was: it is where the receiver's
    own median, which is of the times n / fps that frame n stands for, falls on that of the table.
    """
    rows, known = c.rows(), c.stats('receive')['latency_ms']
    if not rows or not known:
        return []
    origin = statistics.median_low([wall - n / SHOWN_FPS for n, wall, _, _ in rows][-LATENCIES:]) - known['p50'] / 1000
    return [wall - pts - origin for wall, pts in c.new() if since <= wall <= until]


def freeze(shown, since, until, without=()):
    """The longest time between new pictures, less what of it is in the periods given."""
    edges = [*([w for w in shown if w < since][-1:] or [since]), *(w for w in shown if since <= w < until), until]
    return max(b - a - sum(max(0, min(b, v) - max(a, u)) for u, v in without) for a, b in zip(edges, edges[1:]))


def percentile(values, part):
    return sorted(values)[int(part * (len(values) - 1))] if values else None


def series(c):
    """What a figure shows."""
    moments = [dict(s, t=s['wall'] - c.connected) for s in c.samples if s['wall'] >= c.connected]
    return dict(modes=c.modes(), samples=[{k: m[k] and round(m[k], 2) for k in ('t', 'capacity', 'estimate', 'rate', 'queue')} for m in moments])


class Bench:
    """The results of this build, kept or measured."""

    def __init__(self, o):
        self.folder, self.quick, self.build = os.path.join(o.out, 'quick' if o.quick else ''), o.quick, common.build(*PROGRAMS)
        try:
            self.traces = os.path.join(common.shared(), 'traces')
            self.source, self.of = 'file:' + common.sequence(os.path.join(ROOT, 'artifacts', 'bench'), CLIP), f'the clip {CLIP}, to and fro'
        except BenchError as error:
            common.say(f'{error}; synthetic:street stands for the clip')
            self.traces, self.source, self.of = '', 'synthetic:street', 'synthetic:street'
        self.wanted, self.missing, self.failed, self.plots, self.loads = o.only, False, [], {}, []

    def cell(self, section, name, measure, link, *arguments):
        """One run's result; dict(failed=why) where a program gave up or nothing came. None: it is not wanted now."""
        file, key = os.path.join(self.folder, name + '.json'), dict(build=self.build, of=self.of, link=link)
        result = common.load(file)
        if not result or any(result[k] != v for k, v in key.items()):
            if section not in self.wanted:
                self.missing = True
                return None
            common.say(f'{name}: {" ".join(link)}')
            key['load'] = os.getloadavg()[0]
            with Chain(os.path.join(self.folder, name), self.source, *link) as chain:
                try:
                    result = measure(chain, self.quick, *arguments)
                except (BenchError, OSError, subprocess.TimeoutExpired) as error:
                    result = dict(failed=' '.join(str(error).replace(ROOT, '.').split()))
            said = {k: f'{v:.3g}' if isinstance(v, float) else v for k, v in result.items() if k not in ('samples', 'modes')}
            common.say(f'{name}: ' + ', '.join(f'{k} {v}' for k, v in said.items()))
            result = common.store(file, {**result, **key})
        self.loads.append(result['load'])
        if 'failed' in result:
            self.failed.append(f'- {name}: {result["failed"]}')
        if 'samples' in result:
            self.plots[name] = linkplot.draw(f'{name}, the real programs over TCP', result['samples'], result['modes'])
        return result

    def constant(self):
        yield head('link, 300 ms', 'utilisation (80 %)', 'queueing p95 (1.5 s)', 'longest freeze (2 s)', 'latency, median', 'latency, p95', 'in TT2V')
        for rate in (8,) if self.quick else (4, 8, 16):
            for loss in (0, 5):
                if r := self.cell('a', f'constant-{rate}k-loss{loss}', constant, ['--rate', f'{rate}kbps', '--delay', '300ms', '--loss', f'{loss}%'], rate):
                    yield row(f'{rate} kbit/s, {loss} % loss', figure(r, 'utilisation', least=.8, unit=' %', times=100), figure(r, 'queue_p95_s', 1.5),
                              figure(r, 'freeze_s', None if loss else 2), figure(r, 'latency_p50_s'), figure(r, 'latency_p95_s'), figure(r, 'tt2v_s'))

    def steps(self):
        yield head('16 → 2 → 16 kbit/s', 'to TT2V (4 s)', 'to IT2V (20 s)', 'switches before, after down, after up (0, 1, 1)', 'most queueing (3 s)', 'unavoidable of it')
        for delay in (300,) if self.quick else (300, 50):
            if r := self.cell('b', f'step-{delay}ms', step, ['--rate', '16kbps', '--delay', f'{delay}ms'], delay):
                switches = r.get('switches', ['failed'])
                yield row(f'{delay} ms', figure(r, 'to_tt2v_s', 4), figure(r, 'to_it2v_s', 20), bold(', '.join(map(str, switches)), switches != [0, 1, 1]),
                          figure(r, 'queue_s', 3), figure(r, 'unavoidable_s'))

    def recordings(self):
        yield head('trace, mean of 8 kbit/s, 100 ms', 'switches', 'in TT2V', 'too slow for images', 'most queueing', 'longest freeze', 'longest without time in TT2V')
        for name in TRACES[:1] if self.quick else TRACES:
            file = os.path.join(self.traces, name)
            if not os.path.isfile(file):
                common.say(f'{name} is left out: it is not in the folder traces of shared; name that in CMVC_SHARED')
                self.missing = True
            elif r := self.cell('c', 'trace-' + name.replace('.', '-'), recorded, ['--trace', file, '--scale', f'{Trace(file).scale:.8f}', '--delay', '100ms'], file):
                yield row(name, r.get('switches', '**failed**'), *(figure(r, key) for key in ('tt2v_s', 'slow_s', 'queue_s', 'freeze_s', 'freeze_it2v_s')))

    def recoveries(self):
        yield head('8 kbit/s, 300 ms', 'new picture after, median', 'worst', 'of')
        for name, words, measure, most, extra in (('outage', 'the link is back after 20 s (5 s)', outage, 5, ['--outage', '6s@12s' if self.quick else '20s@45s']),
                                                  ('receiver-killed', 'the receiver, killed and started again, is ready', receiver_killed, None, []),
                                                  ('sender-killed', 'the sender, killed and started again, has connected', sender_killed, None, [])):
            runs = [self.cell('d', f'{name}-{k + 1}', measure, ['--rate', '8kbps', '--delay', '300ms', *extra]) for k in range(1 if self.quick else 3)]
            if all(runs):
                yield row(words, *spread(runs, 's', most), len(runs))

    def lights(self):
        yield head('link, 300 ms', 'after connect()', 'median', 'worst', 'of')
        for rate, what in ((8, dict(text=('text', 3), picture=('first picture', 5), full=('full-size picture', 12))), (1, dict(text=('text', 8)))):
            runs = [self.cell('e', f'light-{rate}k-{k + 1}', light, ['--rate', f'{rate}kbps', '--delay', '300ms'], list(what)) for k in range(1 if self.quick else 5)]
            if all(runs):
                for key, (words, most) in what.items():
                    yield row(f'{rate} kbit/s', f'{words} ({most} s)', *spread(runs, key + '_s', most), len(runs))


def row(*cells):
    return f'| {" | ".join(map(str, cells))} |'


def head(*cells):
    return row(*cells) + '\n' + '|---' * len(cells) + '|'


def bold(text, missed):
    return f'**{text}**' if missed else text


def figure(r, key, most=None, least=None, unit=' s', times=1):
    value = r.get(key)
    if value is None:
        return bold('failed' if 'failed' in r else 'never', True)
    return bold(f'{value * times:.{0 if times > 1 else 2}f}{unit}', most is not None and value > most or least is not None and value < least)


def spread(runs, key, most):
    """Median and worst; what never came is worst of all."""
    values = sorted(r.get(key) or math.inf for r in runs)
    return ['**never**' if v == math.inf else bold(f'{v:.2f} s', most is not None and v > most) for v in (values[len(values) // 2], values[-1])]


def main():
    p = argparse.ArgumentParser(prog='link.py', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--only', default='a,b,c,d,e', type=lambda t: t.split(','), help='what is measured now; the rest is taken as far as it is known (a,b,c,d,e)')
    p.add_argument('--quick', action='store_true', help='few and short runs, to try this script; printed, not written into docs')
    p.add_argument('--out', default=os.path.join(ROOT, 'artifacts', 'bench', 'link'), help='results (artifacts/bench/link)')
    o = p.parse_args()
    if not set(o.only) <= set('abcde'):
        p.error('--only takes letters of a,b,c,d,e with commas between them')
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bench = Bench(o)
    tables = ['\n'.join(lines) for table in (bench.constant, bench.steps, bench.recordings, bench.recoveries, bench.lights) if len(lines := list(table())) > 1]
    machine, product = common.made_on()
    text = '\n\n'.join(filter(None, [
        f'Made on {machine}, load average at most {max(bench.loads, default=0):.1f} before a run; {product}, build {bench.build}. Source: {bench.of}.', *tables,
        bench.failed and '\n'.join(['Failed:', '', *bench.failed]), '\n'.join(f'![{name}](link/real-{name}.svg)' for name in bench.plots)]))
    print(text)
    complete = not bench.missing and not o.quick
    for name, svg in bench.plots.items():
        with open(os.path.join(os.path.join(ROOT, 'docs', 'link') if complete else bench.folder, f'real-{name}.svg'), 'w') as f:
            f.write(svg)
    if complete:
        common.into_document('link', text, 'link.md')
        common.say('docs/link.md is written')
    else:
        common.say('not everything is measured: docs/link.md stays as it is; the figures are beside the results')


if __name__ == '__main__':
    common.command(main)
