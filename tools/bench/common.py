"""What the parts of the benchmark share: the folder of clips, sequences of 30 s, results as JSON files, scores."""
import argparse, functools, json, os, re, socket, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS, FPS, BOX = 30, 15, (480, 270)   # of a sequence; captured frames a second; bounding box of the picture
SKIP = 6                                 # seconds at the start that are not scored
# torch asks for and gives back large arrays all the time: where the C library keeps them instead, it is three times as fast.
KEEP_MEMORY = dict(MALLOC_MMAP_MAX_='0', MALLOC_TRIM_THRESHOLD_=str(1 << 30))
PYTHON = '/usr/bin/python3'              # Debian's: python3-torch, python3-onnx and python3-opencv belong to it


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


def clips(wanted):
    """Names of the clips, without .mp4: 'bench' for the split of that name, or a list with commas."""
    with open(os.path.join(shared(), 'media', 'INDEX.tsv')) as f:
        head, *rows = [line.rstrip('\n').split('\t') for line in f]
    known = {row[0].removesuffix('.mp4'): row[head.index('split')] for row in rows}
    names = [n for n, split in known.items() if split == 'bench'] if wanted == 'bench' else [n.removesuffix('.mp4') for n in wanted.split(',')]
    for name in names:
        if name not in known:
            raise BenchError(f"--clips: '{name}' is not in INDEX.tsv")
    return names


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


def fitted(path):
    """Size of the file's picture in the bounding box: aspect kept, even numbers, never enlarged."""
    w, h = map(int, run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', path]).strip().split(','))
    k = min(1, BOX[0] / w, BOX[1] / h)
    return even(w * k), even(h * k)


def even(x):
    return 2 * round(x / 2)


def score(source, received, every, tlp, nice=False):
    """What score.py measures, of every n-th frame, after the first SKIP seconds; nice: it gives way to all else."""
    command = [*(['nice', '-n', '19'] if nice else []), PYTHON, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'score.py'),
               os.path.join(shared(), 'eval'), onnx_runtime(), source, received, '--skip', str(SKIP), '--every', str(every), '--fps', str(FPS), '--json']
    return json.loads(run(command if tlp else command + ['--no-tlp'], env={**os.environ, **KEEP_MEMORY}))


@functools.cache
def onnx_runtime():
    """Where npm has put ONNX Runtime for Node, which runs the scorer's network six times as fast as torch does."""
    folder = os.path.join(ROOT, 'artifacts', 'bench', 'npm')
    if not os.path.isdir(os.path.join(folder, 'node_modules', 'onnxruntime-node')):
        os.makedirs(folder, exist_ok=True)
        run(['npm', 'install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', 'onnxruntime-node@1.29.0'])
    return os.path.join(folder, 'node_modules', 'onnxruntime-node')


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
