"""A link over time as SVG: capacity, estimate, rate, queue and mode. The drawing of 'cmvc-simulate plots', of samples of a real run."""
import math
from html import escape

LEFT, WIDTH, RIGHT, RATES, RATES_H, QUEUE_H, BAND_H, SPACE = 64, 796, 20, 66, 230, 110, 22, 22
QUEUE = RATES + RATES_H + SPACE
BAND = QUEUE + QUEUE_H + SPACE
BOTTOM = BAND + BAND_H
LINES = (('#ddd', 10, 'capacity'), ('#1f63b4', 3, 'estimate'), ('#d6550a', 3, 'rate that may be spent'), ('#7b3294', 3, 'queue: how long the link will take for what waits'))
BANDS = dict(IT2V='#bfe3c6', TT2V='#f6c8a0')


class Axis:
    """A vertical axis from 0 to a round value."""

    def __init__(self, top, height, most, steps):
        tenth = 10 ** math.floor(math.log10(most / steps))
        self.step = next((k * tenth for k in (1, 2, 5) if k * tenth * steps >= most * .999), 10 * tenth)
        self.top, self.height, self.most = top, height, self.step * math.ceil(most / self.step - 1e-9)

    def y(self, value):
        return self.top + self.height * (1 - value / self.most)

    def grid(self, unit):
        for k in range(round(self.most / self.step) + 1):
            y = self.y(k * self.step)
            yield f'<path d="M{LEFT} {y:.5g}h{WIDTH}" stroke="#e8e8e8"/>' + text(LEFT - 6, y + 4, f'{k * self.step:.3g}', 'text-anchor="end"')
        yield text(0, 0, unit, f'text-anchor="middle" transform="translate(18 {self.top + self.height / 2:g}) rotate(-90)"')
        yield frame(self.top, self.height)


def draw(title, moments, modes):
    """
    moments: dicts of t, capacity, estimate (or None), rate (all bit/s) and queue (seconds). modes: (seconds, name) of each change, the
    first at 0.
    """
    end = math.ceil(moments[-1]['t'])
    usual = sorted(max(m['capacity'], m['estimate'] or 0) for m in moments)   # single peaks would flatten all else
    rates = Axis(RATES, RATES_H, max(max(m['rate'] for m in moments), min(usual[-1], 1.6 * usual[int(.93 * (len(usual) - 1))])) / 1000, 5)
    queue = Axis(QUEUE, QUEUE_H, max(1, *(m['queue'] for m in moments)), 3)

    def x(t):
        return LEFT + WIDTH * t / end

    def line(colour, axis, key, unit=1000):
        points = [(m['t'], m[key]) for m in moments if m[key] is not None]
        return f'<path d="M{" ".join(f"{x(t):.1f} {axis.y(v / unit):.1f}" for t, v in points)}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-linejoin="round"/>'

    area = ' '.join(f'L{x(m["t"]):.1f} {rates.y(m["capacity"] / 1000):.1f}' for m in moments)
    w, h = LEFT + WIDTH + RIGHT, BOTTOM + 46
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12" '
           'fill="#222">', '<rect width="100%" height="100%" fill="#fff"/>', text(LEFT, 22, title, 'font-size="15"'), *legend(), *rates.grid('kbit/s'),
           *queue.grid('queue, s'), frame(BAND, BAND_H), text(LEFT - 6, BAND + 15, 'mode', 'text-anchor="end"')]
    for t in range(0, end + 1, 20 if end > 120 else 10):
        svg.append(f'<path d="M{x(t):.1f} {RATES}v{RATES_H}M{x(t):.1f} {QUEUE}v{QUEUE_H}" stroke="#e8e8e8"/><path d="M{x(t):.1f} {BOTTOM}v4" stroke="#444"/>'
                   + text(x(t), BOTTOM + 18, t, 'text-anchor="middle"'))
    svg += [text(LEFT + WIDTH / 2, BOTTOM + 38, 'time, s', 'text-anchor="middle"'),
            f'<clipPath id="rates"><rect x="{LEFT}" y="{RATES - 1}" width="{WIDTH}" height="{RATES_H + 2}"/></clipPath>', '<g clip-path="url(#rates)">',
            f'<path d="M{x(moments[0]["t"]):.1f} {rates.y(0):g}{area}L{x(moments[-1]["t"]):.1f} {rates.y(0):g}Z" fill="#ddd" stroke="#777"/>',
            line('#1f63b4', rates, 'estimate'), line('#d6550a', rates, 'rate'), '</g>', line('#7b3294', queue, 'queue', 1)]
    if usual[-1] / 1000 > rates.most:
        svg.append(text(LEFT + WIDTH - 6, RATES + 16, f'cut off above: up to {usual[-1] / 1000:.0f} kbit/s', 'text-anchor="end" fill="#777"'))
    for (since, mode), (until, _) in zip(modes, [*modes[1:], (end, None)]):
        svg.append(f'<rect x="{x(since):.1f}" y="{BAND}" width="{x(until) - x(since):.1f}" height="{BAND_H}" fill="{BANDS[mode]}"/>')
        if x(until) - x(since) > 40:
            svg.append(text((x(since) + x(until)) / 2, BAND + 15, mode, 'text-anchor="middle"'))
    return '\n'.join([*svg, '</svg>', ''])


def legend():
    at = LEFT
    for colour, width, name in LINES:
        yield f'<rect x="{at}" y="{44 - width // 2}" width="22" height="{width}" fill="{colour}"/>' + text(at + 28, 48, name)
        at += 52 + int(6.9 * len(name))


def text(x, y, what, attributes=''):
    return f'<text x="{x:.5g}" y="{y:.5g}" {attributes}>{escape(str(what))}</text>'


def frame(top, height):
    return f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{height}" fill="none" stroke="#999"/>'
