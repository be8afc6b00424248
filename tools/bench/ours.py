"""One run of the built sender and receiver over gRPC on this machine, and what it measured."""
import hashlib, os, subprocess, time
import common
from common import BenchError, BOX, FPS, ROOT, SECONDS

SHOWN_FPS = 30
PROGRAMS = {name: os.path.join(ROOT, folder, 'bin', 'Release', 'net10.0') for name, folder in
            (('cmvc-send', 'sender/CmvcStream.Sender'), ('cmvc-receive', 'receiver/CmvcStream.Receiver'))}


def build(programs=PROGRAMS):
    """A mark of the built programs: results of another build are measured anew."""
    mark = hashlib.sha256()
    for name, folder in programs.items():
        if not os.access(os.path.join(folder, name), os.X_OK):
            raise BenchError(f"{name} is not built; './cmvc setup' builds it")
        for file in sorted(os.listdir(folder)):
            if file.endswith('.dll'):
                with open(os.path.join(folder, file), 'rb') as f:
                    mark.update(f.read())
    return mark.hexdigest()[:12]


def path(out, clip, rate):
    return os.path.join(out, 'ours', f'{clip}-{rate:g}.json')


def known(out, clip, rate, every):
    """The stored result, if this build made it."""
    result = common.load(path(out, clip, rate))
    return result if result and result['every'] == every and result['build'] == build() else None


def measure(out, clip, rate, every, scorers):
    """
    Streams the clip's sequence at the rate (kbit/s on the wire), unless its result is stored. A future of the result: the pictures are
    scored by the pool while the next clip streams. The result is kept in a file, with statistics and table of frames beside it.
    """
    if result := known(out, clip, rate, every):
        return scorers.submit(lambda: result)
    file = path(out, clip, rate)
    source, stem = common.sequence(out, clip), file.removesuffix('.json')
    shown = stem + '.y4m'
    os.makedirs(os.path.dirname(file), exist_ok=True)
    try:
        launched = stream(source, rate, stem, shown)
        result = dict(clip=clip, rate_kbps=rate, every=every, build=build(), **link(stem), **presentation(shown, launched))
    except BaseException:
        common.remove(shown)
        raise
    return scorers.submit(finish, file, result, source, shown)


def finish(file, result, source, shown):
    """Scores what was shown and stores the result."""
    try:
        result.update((k, v) for k, v in common.score(source, shown, result['every'], tlp=True, nice=True).items()
                      if k not in ('received_frames', 'source_frames'))
    finally:
        common.remove(shown)
    common.say(f"{result['clip']}: ours at {result['rate_kbps']:g}: wire {result['wire_kbps']:.2f}, payload {result['payload_kbps']:.2f} kbit/s, LPIPS {result['lpips']:.4f}")
    return common.store(file, result)


def stream(source, rate, stem, shown):
    """Runs both programs until the receiver has presented everything; Unix time at which the sender was launched."""
    url = common.free_url()
    receive = [program('cmvc-receive'), '--listen', url, '--out', f'y4m:{shown}', '--fps', str(SHOWN_FPS), '--once', '--stats', stem + '.receive.json']
    send = [program('cmvc-send'), '--source', f'file:{source}', '--to', url, '--max-rate', f'{rate:g}kbps', '--mode', 'it2v', '--size', f'{BOX[0]}x{BOX[1]}',
            '--fps', str(FPS), '--stats', stem + '.send.json']
    with open(stem + '.log', 'w+') as log:
        receiver = subprocess.Popen(receive, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        sender = None
        try:
            if not receiver.stdout.readline().startswith('ready '):
                raise BenchError(f'the receiver did not start: {last_words(log)}')
            launched = time.time()
            sender = subprocess.Popen(send, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            for name, process in (('sender', sender), ('receiver', receiver)):
                if code := process.wait(SECONDS * 2 + 60):
                    raise BenchError(f'the {name} ended with {code}: {last_words(log)}')
            return launched
        except subprocess.TimeoutExpired:
            raise BenchError(f'sender and receiver did not end in time: {last_words(log)}') from None
        finally:
            for process in (sender, receiver):
                if process and process.poll() is None:
                    process.kill()
                    process.wait()
            receiver.stdout.close()


def program(name):
    return os.path.join(PROGRAMS[name], name)


def last_words(log):
    log.flush()
    log.seek(0)
    return log.read().strip()[-400:] or 'it said nothing'


def link(stem):
    """What the two programs' statistics say."""
    sent, received = common.load(stem + '.send.json'), common.load(stem + '.receive.json')
    connected = sent['seconds'] - sent['start_ms']['connect'] / 1000
    payload = sent['payload']['tx']
    total = sum(payload.values())
    first = received['start_ms']['picture']
    return dict(
        wire_kbps=round(sent['wire']['tx']['bytes'] * 8 / 1000 / connected, 3), wire_from=sent['wire']['from'], connected_s=round(connected, 2),
        wire_kbps_over_source=round(sent['wire']['tx']['bytes'] * 8 / 1000 / SECONDS, 3),
        payload_bytes=total, payload_kbps=round(total * 8 / 1000 / SECONDS, 3), motion_share=round(payload['motion'] / max(total, 1), 3),
        keyframes_per_s=round(sent['frames']['coded'] / SECONDS, 2), dropped=sent['frames']['dropped'],
        first_picture_s=None if first is None else round((first - received['start_ms']['connect']) / 1000, 2))


def presentation(shown, launched):
    """What the written frames and their table say."""
    with open(shown, 'rb') as f:
        head = f.readline()
    width, height = (int(next(w for w in head.decode().split() if w[0] == letter)[1:]) for letter in 'WH')
    frame = len(b'FRAME\n') + width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
    with open(shown + '.frames.tsv') as f:
        rows = [line.rstrip('\n').split('\t') for line in f][1:]
    provenance = [row[3] for row in rows]
    begin = next((i for i, p in enumerate(provenance) if p != 'none'), None)
    if begin is None:
        raise BenchError('the receiver never showed a picture')
    run = longest = 0
    for p in provenance[begin:]:
        run = run + 1 if p in ('held', 'none') else 0
        longest = max(longest, run)
    walls = [int(row[1]) for row, p in zip(rows[begin:], provenance[begin:]) if p not in ('held', 'none')]
    return dict(
        frames=(os.path.getsize(shown) - len(head)) // frame, frames_due=SECONDS * SHOWN_FPS, freeze_s=round(longest / SHOWN_FPS, 2),
        longest_gap_s=round(max((b - a for a, b in zip(walls, walls[1:])), default=0) / 1e6, 2), black_s=round(begin / SHOWN_FPS, 2),
        launch_to_picture_s=round(walls[0] / 1e6 - launched, 2) if walls else None,
        shares={p: round(provenance.count(p) / len(provenance), 3) for p in sorted(set(provenance))})
