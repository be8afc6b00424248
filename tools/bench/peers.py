"""The peers: libaom in realtime usage and x265 zerolatency, every frame coded, at full and half size, brought to a given payload rate."""
import functools, json, math, os
import common
from common import BenchError, FPS, SECONDS, run

# Both encoders take whole kbit/s only, steps of 14 % at 7 kbit/s. They are told that time runs SLOW times as fast, which makes steps of
# 0.25 kbit/s and changes nothing else: bits a frame are what they spend, and buffers are given in bits.
SLOW = 4
TRIES = 6          # encodings to meet a rate; two are usual
TOLERANCE = .05
WINDOW = 5         # seconds of libaom's rate buffer: the window over which our own budget holds


def libaom(v):
    kbps, bits = f'{v}k', f'{v * WINDOW * 1000 // SLOW}'
    return ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '5', '-lag-in-frames', '0', '-g', '9999', '-threads', '1',
            '-b:v', kbps, '-minrate', kbps, '-maxrate', kbps, '-bufsize', bits, '-rc_init_occupancy', str(int(bits) * 4 // 5)]


def x265(v):
    # No VBV: with one of 5 s its first frames starve, and its LPIPS is worse. It may burst as no narrow link could carry.
    return ['-c:v', 'libx265', '-preset', 'medium', '-tune', 'zerolatency',
            '-x265-params', f'keyint=-1:info=0:log-level=error:pools=1:bitrate={v}']


# What was measured, with the repository: of the same encoders it need not be measured again.
KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'peers.json')
KEY = ('clip', 'peer', 'size', 'target_kbps', 'every', 'library')

PEERS = [(name, encoder, size) for name, encoder in (('libaom', libaom), ('x265', x265)) for size in ('full', 'half')]


def target(payload_kbps):
    """The rate that the peers get for a payload rate of ours: rounded up to half a kbit/s, in their favour, so that runs can share them."""
    return math.ceil(payload_kbps * 2 - 1e-6) / 2


def path(out, clip, name, size, kbps):
    return os.path.join(out, 'peers', f'{clip}-{kbps:g}-{name}-{size}.json')


@functools.cache
def library(name):
    """The version of an encoder that Debian's package carries."""
    package = {'libaom': 'libaom', 'x265': 'libx265'}[name]
    listed = common.run(['sh', '-c', f"dpkg-query -W -f '${{Version}} ${{db:Status-Status}}\\n' '{package}[0-9]*' '{package}-[0-9]*' 2>/dev/null | sed -n 's/ installed//p' | head -1 || true"])
    return listed.strip() or 'of unknown version'


@functools.cache
def kept():
    return {tuple(r[k] for k in KEY): r for r in common.load(KEPT) or []}


def keep(out):
    """Puts all results of this folder into the repository's file, a line each."""
    folder = os.path.join(out, 'peers')
    files = [os.path.join(folder, f) for f in os.listdir(folder) if f.endswith('.json')] if os.path.isdir(folder) else []
    new = {tuple(r[k] for k in KEY): r for r in map(common.load, files)}
    together = sorted({**kept(), **new}.items(), key=lambda entry: str(entry[0]))
    with open(KEPT, 'w') as f:
        f.write('[\n' + ',\n'.join(json.dumps(r) for _, r in together) + '\n]\n')


def known(out, clip, name, size, kbps, every):
    """The result for this rate from the folder or from the repository, or None."""
    result = common.load(path(out, clip, name, size, kbps))
    return result if result and result['every'] == every else kept().get((clip, name, size, kbps, every, library(name)))


def known_at_or_above(out, clip, name, size, kbps, every):
    """The stored result for this rate or, while there is none, for the next known above it."""
    while kbps <= 1000:
        if result := known(out, clip, name, size, kbps, every):
            return result
        kbps += .5
    return None


def measure(out, clip, name, encoder, size, kbps, every):
    """Rate and score of one peer; kept in a file, with the bitstream beside it."""
    if result := known(out, clip, name, size, kbps, every):
        return result
    file = path(out, clip, name, size, kbps)
    aimed = common.load(file)
    source = common.sequence(out, clip)
    full = common.fitted(source)
    coded = full if size == 'full' else tuple(common.even(x / 2) for x in full)
    stream = file.replace('.json', '.mp4')
    os.makedirs(os.path.dirname(file), exist_ok=True)
    if not (aimed and os.path.exists(stream)):
        aimed = aim(source, coded, encoder, kbps, stream)
    result = dict(clip=clip, peer=name, size=size, coded='x'.join(map(str, coded)), target_kbps=kbps, every=every, library=library(name),
                  **{k: aimed[k] for k in ('kbps', 'least', 'tries')}, **scored(source, full, stream, every, tlp=False))
    common.say(f"{clip}: {name} {size} {result['kbps']:.2f}{'*' if result['least'] else ''} kbit/s for {kbps:g}: LPIPS {result['lpips']:.4f}")
    return common.store(file, result)


def with_tlp(out, result):
    """The same peer with its tLP."""
    if result['tlp'] is None:
        source = common.sequence(out, result['clip'])
        file = path(out, result['clip'], result['peer'], result['size'], result['target_kbps'])
        stream = file.replace('.json', '.mp4')
        if not os.path.exists(stream):      # the repository keeps results, not bitstreams
            os.makedirs(os.path.dirname(file), exist_ok=True)
            encoder = next(encoder for name, encoder, _ in PEERS if name == result['peer'])
            aim(source, tuple(map(int, result['coded'].split('x'))), encoder, result['target_kbps'], stream)
        result.update(scored(source, common.fitted(source), stream, result['every'], tlp=True))
        common.store(file, result)
    return result


def aim(source, coded, encoder, kbps, stream):
    """Encodes until the rate is met; keeps the one that meets it, or the least that the encoder can do where that is more than the rate asked for."""
    tries, files = {}, {}
    v = round(kbps * SLOW)
    try:
        while v is not None and len(tries) < TRIES:
            files[v] = f'{stream}.{v}.mp4'
            tries[v] = encode(source, coded, encoder(v), files[v])
            v = following(tries, kbps)
        met = [t for t in tries if abs(tries[t] / kbps - 1) <= TOLERANCE]
        above = [t for t in tries if tries[t] > kbps]
        # Of those that meet the rate, the one with most bytes; if none does, the next one above: both in the peer's favour.
        best = max(met, key=tries.get) if met else min(above, key=tries.get) if above else max(tries, key=tries.get)
        os.replace(files[best], stream)
        least = min(tries.values()) > kbps * (1 + TOLERANCE) and SLOW in tries
        return dict(kbps=round(tries[best], 3), least=least, tries={f'{t / SLOW:g}': round(r, 3) for t, r in tries.items()})
    finally:
        for file in files.values():
            common.remove(file)


def following(tries, kbps):
    """What to ask the encoder for next, from what each try gave; None when the rate is met or cannot be."""
    if any(-TOLERANCE / 2 <= rate / kbps - 1 <= TOLERANCE for rate in tries.values()):
        return None
    below, above = [v for v in tries if tries[v] < kbps], [v for v in tries if tries[v] > kbps]
    if below and above:
        a, b = max(below), min(above)
        v = a + (b - a) * math.log(kbps / tries[a]) / math.log(tries[b] / tries[a])
        v = max(a + 1, min(b - 1, round(v)))
    elif below:
        v = min(max(below) * 4, round(max(below) * kbps / tries[max(below)]))
    else:       # it follows slowly: where that may not do, 1 kbit/s, where both encoders are at their worst quality
        far = len(above) > 1 or tries[above[0]] > kbps * 1.5
        v = SLOW if far else max(SLOW, round(above[0] * kbps / tries[above[0]]))
    return None if v in tries else v


def encode(source, coded, options, file):
    """Encodes the whole sequence; kbit/s of its packets, without the container and without the header that it keeps apart."""
    raw = ['ffmpeg', '-v', 'error', '-y', '-i', source, '-vf', f'fps={FPS},scale={coded[0]}:{coded[1]}:flags=area,setpts=PTS/{SLOW}',
           '-frames:v', str(FPS * SECONDS), '-r', str(FPS * SLOW), '-pix_fmt', 'yuv420p']
    run(raw + options + [file])
    packets = run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=size', '-of', 'csv=p=0', file]).split()
    sizes = [int(p.strip(',')) for p in packets]
    if len(sizes) != FPS * SECONDS:
        raise BenchError(f'{file}: {len(sizes)} packets for {FPS * SECONDS} frames')
    return sum(sizes) * 8 / 1000 / SECONDS


def scored(source, full, stream, every, tlp):
    """Decodes at true speed and full size (bicubic), and scores."""
    shown = stream + '.y4m'
    try:
        run(['ffmpeg', '-v', 'error', '-y', '-r', str(FPS), '-i', stream, '-vf', f'scale={full[0]}:{full[1]}:flags=bicubic', '-pix_fmt', 'yuv420p', shown])
        return {k: v for k, v in common.score(source, shown, every, tlp).items() if k in ('lpips', 'lpips_p95', 'tlp', 'ssim', 'psnr', 'shift_s', 'compared')}
    finally:
        common.remove(shown)
