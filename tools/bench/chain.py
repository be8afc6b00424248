"""Receiver, throttle and sender as real programs on this machine, sampled while they run."""
import json, math, os, select, shutil, signal, subprocess, time, urllib.request
import common
from common import BenchError

PROGRAMS = ('cmvc-send', 'cmvc-receive', 'cmvc-throttle')
SHOWN_FPS = 30
PATIENCE = 40   # seconds that something awaited may take


class Chain:
    """Receiver, throttle and sender. t is seconds since the sender's connect(), which the throttle's listening socket answers at once."""

    def __init__(self, folder, source, *link):
        self.folder, self.source, self.link = folder, source, link
        self.processes, self.started, self.began, self.samples, self.current = [], {'send': 0, 'receive': 0}, {}, [], {}

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.log = open(os.path.join(self.folder, 'log'), 'w+')
        try:
            self.url = self.receive('http://127.0.0.1:0')
            ready = self.launch('throttle', '--listen', '127.0.0.1:0', '--to', self.url.split('//')[1].strip('/'), '--control', '127.0.0.1:0', *self.link)
            self.relay, self.at = ready['listen'], ready['control']
            self.send()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)
            if process.stdout:
                process.stdout.close()
        self.log.close()

    def launch(self, name, *arguments):
        """Starts a program and awaits its 'ready' line, if it says one; what that names."""
        talks = name != 'send'
        process = subprocess.Popen([common.program(f'cmvc-{name}'), *arguments], stdin=subprocess.DEVNULL, stderr=self.log,
                                   stdout=subprocess.PIPE if talks else self.log, text=True, start_new_session=True)
        self.processes.append(process)
        self.current[name] = process
        if not talks:
            return None
        line = process.stdout.readline() if select.select([process.stdout], [], [], PATIENCE)[0] else ''
        if not line.startswith('ready '):
            raise BenchError(f'cmvc-{name} did not start: {common.last_words(self.log)}')
        return dict(word.split('=', 1) for word in line.split()[1:])

    def receive(self, url):
        """Starts a receiver. Its pictures are not kept, but the tables of frames are, of each stream."""
        self.started['receive'] += 1
        for stream in ('', '-2'):
            os.symlink(os.devnull, self.path(f'shown{self.started["receive"]}{stream}.y4m'))
        return self.launch('receive', '--listen', url, '--out', 'y4m:' + self.path(f'shown{self.started["receive"]}.y4m'), '--fps', str(SHOWN_FPS),
                           '--stats', self.path(self.stem('receive')))['listen']

    def send(self):
        """Starts a sender and waits until it has connected."""
        self.started['send'] += 1
        self.launch('send', '--source', self.source, *(['--loop'] if self.source.startswith('file:') else []), '--to', f'http://{self.relay}',
                    '--stats', self.path(self.stem('send')))
        self.await_(lambda: (s := self.stats('send')) and s['start_ms']['connect'] is not None, 'the sender did not connect', .1)

    def kill(self, name):
        end(self.current[name])

    def finish(self):
        """The receiver writes what it has; the rest of the chain is not asked any more."""
        self.current['receive'].terminate()
        self.current['receive'].wait(20)

    def path(self, file):
        return os.path.join(self.folder, file)

    def stem(self, name):
        return f'{name}{self.started[name]}.json'

    def stats(self, name):
        """A program's statistics, or None yet. Their date tells when its clock began: by the least of several, as writing takes time."""
        try:
            with open(self.path(self.stem(name))) as f:
                stats, at = json.load(f), os.fstat(f.fileno()).st_mtime
        except FileNotFoundError:
            return None
        self.began[self.stem(name)] = min(self.began.get(self.stem(name), math.inf), at - stats['seconds'])
        return stats

    def wall(self, name, ms):
        """Unix time of one of the milliseconds in a program's statistics."""
        return None if ms is None else self.began[self.stem(name)] + ms / 1000

    @property
    def connected(self):
        return self.wall('send', self.stats('send')['start_ms']['connect'])

    def control(self, **change):
        """Changes the link, if anything is named; the throttle's statistics."""
        request = urllib.request.Request(self.at, json.dumps(change).encode(), {'Content-Type': 'application/json'}, method='PUT') if change else self.at
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def sample(self):
        for name, process in self.current.items():
            if process.poll() is not None:
                raise BenchError(f'cmvc-{name} ended with {process.returncode}: {common.last_words(self.log)}')
        link, now, sender = self.control(), time.time(), (self.stats('send') or {}).get('link') or {}
        self.stats('receive')
        self.relay_began = now - link['seconds']
        self.samples.append(dict(wall=now, estimate=sender.get('estimate_bps'), rate=sender.get('rate_bps', 0), bytes=link['up']['bytes'],
                                 queued=link['up']['queue_bytes'], capacity=0 if link['link']['outage'] else link['link']['rate_bps'] or 0))

    def watch(self, until):
        """Samples the link twice a second, to so many seconds after connecting."""
        while (left := self.connected + until - time.time()) > 0:
            time.sleep(min(.5, left))
            self.sample()

    def await_(self, happened, why, every=.5):
        """Samples until something has happened; what that was."""
        end = time.time() + PATIENCE
        while not (what := happened()):
            if time.time() > end:
                raise BenchError(f'{why} within {PATIENCE} s: {common.last_words(self.log)}')
            time.sleep(every)
            self.sample()
        return what

    def rows(self, stream=''):
        """(n, Unix time, source time, provenance) of each frame that the receiver has presented."""
        file = self.path(f'shown{self.started["receive"]}{stream}.y4m.frames.tsv')
        if not os.path.exists(file):
            return []
        with open(file) as f:
            rows = [line.rstrip('\n').split('\t') for line in f.readlines()[1:] if line.endswith('\n')]
        return [(int(n), int(wall) / 1e6, int(pts) / 1e6, provenance) for n, wall, pts, provenance in rows]

    def new(self, stream=''):
        """(Unix time, source time) of each presented frame that shows something new: neither held nor black."""
        return [(wall, pts) for _, wall, pts, provenance in self.rows(stream) if provenance not in ('held', 'none')]

    def modes(self):
        """(t, mode) of the sender, from 0 on."""
        return [(0, 'IT2V')] + [(round(self.wall('send', s['t_s'] * 1000) - self.connected, 2), s['to']) for s in self.stats('send')['modes']['switches']]


def end(process):
    """Kills a program with what it has started: they are a group of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
