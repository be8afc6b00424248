"""Results as Markdown, and into docs/benchmarks.md."""
import common, ours, peers

LIMITS = dict(wire=1.05, freeze=1.0, first=5.0)   # times the rate; seconds; seconds
HEAD = ('| clip | wire | payload | LPIPS | tLP | freeze | first picture | best peer of equal bytes | LPIPS | tLP | | best at any rate | LPIPS | |',
        '|---' * 14 + '|')


class Row:
    """One clip at one rate: ours and its peers, either of which may be missing yet."""

    def __init__(self, out, clip, rate, every, mine):
        self.clip, self.rate, self.mine = clip, rate, mine
        kbps = peers.target(mine['payload_kbps']) if mine else None
        found = [peers.known_at_or_above(out, clip, name, size, kbps, every) for name, _, size in peers.PEERS] if mine else []
        self.peers = [p for p in found if p]
        self.complete = bool(mine) and len(self.peers) == len(peers.PEERS)

    @property
    def best(self):
        """The best of those that meet the rate or are at their least; None while none is known."""
        return min((p for p in self.peers if p['least'] or meets(p)), key=lambda p: p['lpips'], default=None)

    @property
    def best_equal(self):
        """The best of those that go as low as ours; the best at its least rate if none does."""
        return min((p for p in self.peers if meets(p)), key=lambda p: p['lpips'], default=self.best)

    def wins(self, peer):
        return peer is not None and self.mine['lpips'] < peer['lpips']

    def faults(self):
        """The conditions that are not met."""
        m = self.mine
        return [what for what, wrong in (
            ('wire', m['wire_kbps'] > self.rate * LIMITS['wire']), ('frames', m['frames'] < m['frames_due']), ('freeze', m['freeze_s'] > LIMITS['freeze']),
            ('first picture', m['first_picture_s'] is None or m['first_picture_s'] > LIMITS['first'])) if wrong]

    def line(self):
        m = self.mine
        return (f"| {self.clip} | {m['wire_kbps']:.2f} | {m['payload_kbps']:.2f} | **{m['lpips']:.4f}** | {m['tlp']:.4f} | {m['freeze_s']:.2f} s "
                f"| {m['first_picture_s']} s | {self.cells(self.best_equal, tlp=True)} | {self.cells(self.best, tlp=False)} |")

    def cells(self, p, tlp):
        """Name and rate, LPIPS, tLP if asked for, verdict."""
        if p is None:
            return ' | '.join('-' * (4 if tlp else 3))
        parts = [f"{p['peer']} {p['size']} {p['kbps']:.1f}{'*' if p['least'] else ''}", f"{p['lpips']:.4f}"]
        if tlp:
            parts.append('-' if p['tlp'] is None else f"{p['tlp']:.4f}")
        return ' | '.join(parts + ['win' if self.wins(p) else 'lose'])


def meets(peer):
    return peer['kbps'] <= peer['target_kbps'] * (1 + peers.TOLERANCE)


def of_rate(rate, rows):
    """The section of one rate."""
    done = [r for r in rows if r.mine]
    lines = [f'### {rate:g} kbit/s', '', *HEAD, *(r.line() for r in done), '']
    if done:
        faults = [f"{r.clip} ({', '.join(r.faults())})" for r in done if r.faults()]
        lines += [summary(rate, rows), '',
                  f'Conditions (wire at most {LIMITS["wire"]} times the rate, every frame presented, no freeze over {LIMITS["freeze"]:g} s, first picture within '
                  f'{LIMITS["first"]:g} s): ' + (f"not met on {'; '.join(faults)}." if faults else f'met on all {len(done)}.'),
                  f"Motion is {100 * mean(r.mine['motion_share'] for r in done):.0f} % of the payload, {mean(r.mine['keyframes_per_s'] for r in done):.1f} "
                  'keyframes are coded a second, on average.', '']
    return '\n'.join(lines)


def summary(rate, rows):
    done = [r for r in rows if r.peers]
    return (f"At {rate:g} kbit/s: better on {sum(r.wins(r.best_equal) for r in done)} of {len(done)} than the best peer of equal bytes, on "
            f"{sum(r.wins(r.best) for r in done)} of {len(done)} when peers that cannot go so low count at their least rate.")


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def of_peers(out, names, kbps, every):
    """What the peers do at one payload rate."""
    lines = [f'### Peers at {kbps:g} kbit/s of payload', '', '| clip | ' + ' | '.join(f'{n} {s}' for n, _, s in peers.PEERS) + ' |', '|---' * (len(peers.PEERS) + 1) + '|']
    for clip in names:
        cells = []
        for name, _, size in peers.PEERS:
            p = peers.known(out, clip, name, size, kbps, every)
            cells.append(f"{p['lpips']:.4f} at {p['kbps']:.2f}{'*' if p['least'] else ''}" if p else '-')
        lines.append(f"| {clip} | {' | '.join(cells)} |")
    return '\n'.join(lines) + '\n'


def into_document(sections, about):
    """Puts the sections into docs/benchmarks.md."""
    common.into_document('it2v', about + '\n\n' + '\n'.join(sections))


def about(every):
    """Machine and versions, in a sentence each."""
    machine, product = common.made_on()
    ffmpeg = common.run(['ffmpeg', '-hide_banner', '-version']).split()[2]
    codecs = ', '.join(f'{name} {peers.library(name)}' for name in dict.fromkeys(name for name, _, _ in peers.PEERS))
    return f'Made on {machine}; ffmpeg {ffmpeg}, {codecs}; {product}, build {ours.build()}. Every {every}th frame is scored.'
