"""What the parts of the benchmark share: the folder of clips, sequences of 30 s, results as JSON files, scores."""
import argparse, hashlib, json, os, re, socket, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS, FPS = 30, 15   # of a sequence; captured frames a second
SKIP = 6                # seconds at the start that are not scored
PROGRAMS = {name: os.path.join(ROOT, folder, 'bin', 'Release', 'net10.0') for name, folder in
            (('cmvc-send', 'sender/CmvcStream.Sender'), ('cmvc-receive', 'receiver/CmvcStream.Receiver'), ('cmvc-throttle', 'tools/CmvcStream.Throttle'),
             ('cmvc-simulate', 'tools/CmvcStream.Simulate'), ('cmvc-evaluate', 'tools/CmvcStream.Evaluate'))}


class BenchError(Exception):
    """What stops the benchmark, worded for its user."""


def command(main):
    """Runs a program of the benchmark: what stops it is one line."""
    try:
        main()
    except BenchError as error:
        sys.exit(f'bench: {error}')
    except KeyboardInterrupt:
        sys.exit('bench: stopped; what is kept is not measured again')


def numbers(text):
    """Rates in kbit/s with commas between them, from the command line."""
    values = [float(t) for t in text.split(',')]
    if not all(0.5 <= v <= 1000 for v in values):
        raise argparse.ArgumentTypeError('rates are 0.5 to 1000 kbit/s')
    return values


def free_url():
    """An address of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return f'http://127.0.0.1:{probe.getsockname()[1]}'


def say(text):
    print(f'bench: {text}', file=sys.stderr, flush=True)


def shared():
    """The folder with the clips and the scorer: $CMVC_SHARED, or 'shared' beside the repository."""
    path = os.environ.get('CMVC_SHARED') or os.path.join(os.path.dirname(ROOT), 'shared')
    if not os.path.isfile(os.path.join(path, 'media', 'INDEX.tsv')):
        raise BenchError(f'no clips at {path} (media/INDEX.tsv is missing there); name the folder in CMVC_SHARED')
    return path


def program(name):
    """Path of a built program."""
    path = os.path.join(PROGRAMS[name], name)
    if not os.access(path, os.X_OK):
        raise BenchError(f"{name} is not built; './cmvc setup' and './cmvc setup evaluate' build all of them")
    return path


def build(*names):
    """A mark of built programs: results of another build are measured anew."""
    mark = hashlib.sha256()
    for name in names:
        folder = os.path.dirname(program(name))
        for file in sorted(os.listdir(folder)):
            if file.endswith('.dll'):
                with open(os.path.join(folder, file), 'rb') as f:
                    mark.update(f.read())
    return mark.hexdigest()[:12]


def last_words(log):
    """What programs have written to a log, the end of it."""
    log.flush()
    log.seek(0)
    return log.read().strip()[-400:] or 'it said nothing'


def run(command, **options):
    """Runs a program and returns its standard output; its own last words are the error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise BenchError(f'{os.path.basename(command[0])} failed: {(done.stderr or done.stdout).strip()[-600:]}')
    return done.stdout


def sequence(out, clip):
    """The clip to and fro for SECONDS; made once."""
    path = os.path.join(out, 'sequences', clip + '.mp4')
    if not os.path.exists(path):
        say(f'{clip}: making the sequence')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        partial = os.path.join(os.path.dirname(path), f'partial-{clip}.mp4')
        run(['sh', os.path.join(shared(), 'eval', 'sequence.sh'), os.path.join(shared(), 'media', 'dev', clip + '.mp4'), partial, str(SECONDS)])
        os.replace(partial, path)
    return path


def shots(out, name, clips):
    """Shots of several clips, with hard cuts between, SECONDS together; made once."""
    path = os.path.join(out, 'sequences', name.replace(' ', '-') + '.mp4')
    if not os.path.exists(path):
        say(f'{name}: making the sequence')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        inputs = [part for clip in clips for part in ('-t', f'{SECONDS / len(clips)}', '-i', sequence(out, clip))]
        same = ''.join(f'[{i}:v]fps=30,scale=854:480:force_original_aspect_ratio=increase:flags=area,crop=854:480,setsar=1[v{i}];' for i in range(len(clips)))
        joined = ''.join(f'[v{i}]' for i in range(len(clips))) + f'concat=n={len(clips)}[v]'
        partial = os.path.join(os.path.dirname(path), f'partial-{os.path.basename(path)}')
        run(['ffmpeg', '-v', 'error', '-y', *inputs, '-filter_complex', same + joined, '-map', '[v]', '-an', '-c:v', 'libx264', '-preset', 'veryfast',
             '-crf', '10', '-pix_fmt', 'yuv420p', partial])
        os.replace(partial, path)
    return path


def score(source, received, every):
    """What './cmvc evaluate score' measures of every n-th frame after the first SKIP seconds; received has as many frames a second as were captured."""
    return json.loads(run([program('cmvc-evaluate'), 'score', source, received, '--fps', str(FPS), '--result-fps', str(FPS), '--seconds', str(SECONDS),
                           '--skip', str(SKIP), '--every', str(every), '--lpips', os.path.join(shared(), 'eval', 'lpips_sq.onnx')]))


def remove(path):
    if os.path.exists(path):
        os.remove(path)


def load(path):
    """A stored result, or None."""
    if not os.path.exists(path):
        return None
    with open(path) as f:
        return json.load(f)


def store(path, result):
    """Written as a whole, so that a benchmark that was stopped goes on where it was."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + '.partial', 'w') as f:
        json.dump(result, f, indent=1)
        f.write('\n')
    os.replace(path + '.partial', path)
    return result


def made_on():
    """Machine and version, for the head of a table."""
    with open('/proc/cpuinfo') as f:
        model = next((line.split(':', 1)[1].strip() for line in f if line.startswith('model name')), 'unknown processor')
    commit = run(['git', '-C', ROOT, 'rev-parse', '--short', 'HEAD']).strip()
    changed = ' with changes' if run(['git', '-C', ROOT, 'status', '--porcelain', '--', 'protos', 'sender', 'receiver', 'shared']).strip() else ''
    return f'{os.cpu_count()} cores of {model}', f'this product at {commit}{changed}'


def into_document(name, text, document='benchmarks.md'):
    """Puts a text between the markers of that name in a file of docs."""
    file = os.path.join(ROOT, 'docs', document)
    begin, end = f'<!-- {name}: begin, made by tools/bench/{name}.py -->', f'<!-- {name}: end -->'
    with open(file) as f:
        old = f.read()
    if begin not in old or end not in old:
        raise BenchError(f'docs/{document} lacks the markers {begin} and {end}')
    made = f'{begin}\n\n{text}\n\n{end}'
    with open(file, 'w') as f:
        f.write(re.sub(re.escape(begin) + '.*?' + re.escape(end), lambda _: made, old, flags=re.S))
