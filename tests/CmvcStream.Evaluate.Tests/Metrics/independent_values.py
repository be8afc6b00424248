#!/usr/bin/env python3
"""Prints the values that the tests of the metrics hold constant, from programs that share no code with them.

    independent_values.py [--libvmaf FFMPEG]

Needs Debian's python3-skimage, python3-scipy, python3-opencv and ffmpeg. The pictures are made of integers by a generator
that MetricPictures.cs repeats. --libvmaf names an ffmpeg that has the libvmaf filter with its ms_ssim option (libvmaf 1.x,
as in the npm package @ffmpeg-installer/linux-x64 4.1.0); a stand-in model is written for it, as only its MS-SSIM is asked for.
"""
import argparse, json, re, subprocess, tempfile
import cv2, numpy as np, scipy, skimage
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

SIZES = [(480, 270), (152, 270), (270, 270), (426, 240), (61, 47)]
KINDS = ['blur', 'noise', 'blocks', 'brighter', 'unrelated']
WEIGHTS = np.array([.0448, .2856, .3001, .2363, .1333])


def noise(width, height, seed):
    """Numerical Recipes' linear congruential generator, its highest byte, row by row."""
    values, state = np.empty(width * height, np.int64), seed
    for i in range(values.size):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        values[i] = state >> 24
    return values.reshape(height, width)


def box(picture, radius):
    """Mean over a square, edges repeated, rounded down."""
    padded = np.pad(picture, radius, mode='edge')
    height, width = picture.shape
    side = 2 * radius + 1
    return sum(padded[j:j + height, i:i + width] for j in range(side) for i in range(side)) // (side * side)


def reference(width, height):
    y, x = np.mgrid[:height, :width]
    checks = 40 * (((x // 16 + y // 16) & 1))
    return np.minimum(255, (3 * (x * 255 // width) + 2 * (y * 255 // height) + 3 * box(noise(width, height, 1), 1)) // 8 + checks)


def distorted(picture, kind):
    height, width = picture.shape
    if kind == 'blur':
        return box(picture, 2)
    if kind == 'noise':
        return np.clip(picture + (noise(width, height, 2) >> 3) - 16, 0, 255)
    if kind == 'blocks':
        out = picture.copy()
        for j in range(0, height, 8):
            for i in range(0, width, 8):
                block = picture[j:j + 8, i:i + 8]
                out[j:j + 8, i:i + 8] = block.sum() // block.size
        return out
    if kind == 'brighter':
        return np.minimum(255, picture + 20)
    return noise(width, height, 3)


def ssim(a, b):
    return structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)


def ms_ssim(a, b):
    """Wang, Simoncelli, Bovik 2003, as their msssim.m: mean contrast-structure of each scale, mean SSIM of the last."""
    a, b = a.astype(float), b.astype(float)
    scales, side = 1, min(a.shape)
    while scales < 5 and (side := (side + 1) // 2) >= 11:
        scales += 1
    weights, product = WEIGHTS[:scales] / WEIGHTS[:scales].sum(), 1.0
    for scale in range(scales):
        g = lambda z: gaussian_filter(z, 1.5, truncate=3.5)
        ma, mb = g(a), g(b)
        crop = lambda z: z[5:-5, 5:-5]
        cs = crop((2 * (g(a * b) - ma * mb) + 58.5225) / (g(a * a) - ma * ma + g(b * b) - mb * mb + 58.5225))
        full = cs * crop((2 * ma * mb + 6.5025) / (ma * ma + mb * mb + 6.5025))
        assert abs(full.mean() - ssim(a, b)) < 1e-12
        product *= max(0, full.mean() if scale == scales - 1 else cs.mean()) ** weights[scale]
        pad = [(0, n % 2) for n in a.shape]
        a, b = (block_reduce(np.pad(z, pad, mode='edge'), (2, 2), np.mean) for z in (a, b))
    return scales, product


def ffmpeg_filter(program, a, b, graph, *more):
    """Runs a filter of two inputs; what ffmpeg said."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, picture in enumerate((a, b)):
            names.append(f'{folder}/{i}.gray')
            picture.astype(np.uint8).tofile(names[-1])
        given = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', f'{a.shape[1]}x{a.shape[0]}', '-i']
        return subprocess.run([program, '-hide_banner', '-nostdin', *given, names[0], *given, names[1], '-lavfi', graph, '-f', 'null', '-'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True).stderr


def stand_in_model(path):
    """A model whose score means nothing, in the pickle (protocol 0) and libsvm texts that libvmaf 1.x reads."""
    count = [0]

    def mark():
        count[0] += 1
        return f'p{count[0]}\n'

    def text(o):
        if o is None: return 'N'
        if isinstance(o, str): return f"S'{o}'\n" + mark()
        if isinstance(o, float): return f'F{o!r}\n'
        if isinstance(o, list): return '(l' + mark() + ''.join(text(v) + 'a' for v in o)
        return '(d' + mark() + ''.join(text(k) + text(v) + 's' for k, v in o.items())

    features = ['adm2', 'motion2', 'vif_scale0', 'vif_scale1', 'vif_scale2', 'vif_scale3']
    model = dict(model=None, model_type='LIBSVMNUSVR', norm_type='linear_rescale', slopes=[.01] + [1.] * 6, intercepts=[0.] * 7,
                 feature_names=[f'VMAF_feature_{f}_score' for f in features], score_clip=[0., 100.], feature_dict={'VMAF_feature': features})
    with open(path, 'w') as f:
        f.write(text(dict(param_dict=dict(score_clip=[0., 100.], norm_type='clip_0to1'), model_dict=model)) + '.')
    with open(path + '.model', 'w') as f:
        f.write('svm_type nu_svr\nkernel_type linear\nnr_class 2\ntotal_sv 1\nrho 0\nSV\n0.5 1:1 2:0.1 3:0.1 4:0.1 5:0.1 6:0.1 \n')


def libvmaf_ms_ssim(program, a, b):
    with tempfile.TemporaryDirectory() as folder:
        stand_in_model(f'{folder}/m.pkl')
        graph = '[0:v]format=yuv420p[d];[1:v]format=yuv420p[r];[d][r]libvmaf=ms_ssim=1:log_fmt=json'
        ffmpeg_filter(program, b, a, f'{graph}:log_path={folder}/o.json:model_path={folder}/m.pkl')
        return json.load(open(f'{folder}/o.json'))['frames'][0]['metrics']['ms_ssim']


def bd(anchor, test, fit):
    """(BD-rate in per cent, BD-metric), points given as (kbit/s, metric)."""
    def mean_gap(p, q):
        (ax, ay), (tx, ty) = ((np.array(sorted(z)).T) for z in (p, q))
        low, high = max(ax[0], tx[0]), min(ax[-1], tx[-1])
        if fit == 'pchip':
            gap = PchipInterpolator(tx, ty).integrate(low, high) - PchipInterpolator(ax, ay).integrate(low, high)
        else:
            whole = lambda x, y: (lambda i: np.polyval(i, high) - np.polyval(i, low))(np.polyint(np.polyfit(x, y, min(3, len(x) - 1))))
            gap = whole(tx, ty) - whole(ax, ay)
        return gap / (high - low)

    rate = [[(m, np.log10(r)) for r, m in z] for z in (anchor, test)]
    metric = [[(np.log10(r), m) for r, m in z] for z in (anchor, test)]
    return (10 ** mean_gap(*rate) - 1) * 100, mean_gap(*metric)


CURVES = {
    # The example of G. Valenzise's bjontegaard.m and of its Python descendants (github.com/Anserw/Bjontegaard_metric, sample 1).
    'valenzise': ([(686.76, 40.28), (309.58, 37.18), (157.11, 34.24), (85.95, 31.42)],
                  [(893.34, 40.39), (407.8, 37.21), (204.93, 34.17), (112.75, 31.24)]),
    # README of github.com/FAU-LMS/bjontegaard.
    'herglotz': ([(9487.76, 40.037), (4593.60, 38.615), (2486.44, 36.845), (1358.24, 34.851)],
                 [(9787.80, 40.121), (4469.00, 38.651), (2451.52, 36.970), (1356.24, 34.987)]),
    # JCTVC-E137 by way of github.com/Netflix/vmaf, python/test/bd_rate_calculator_test.py.
    'jctvc1': ([(108048.8736, 43.6471), (61279.976, 40.3953), (33905.6656, 37.247), (18883.6928, 34.2911)],
               [(108061.2784, 43.6768), (61299.9936, 40.4232), (33928.7472, 37.2761), (18910.912, 34.3147)]),
    'jctvc2': ([(40433.8848, 37.5761), (7622.7456, 35.3756), (2394.488, 33.8977), (1017.6184, 32.0603)],
               [(40370.12, 37.5982), (7587.0024, 35.4025), (2390.0944, 33.9194), (1017.0984, 32.0822)]),
    'three': ([(100, 30), (200, 33), (400, 34.5)], [(90, 30.5), (220, 34), (380, 35)]),
    'two': ([(100, 30), (400, 36)], [(90, 31), (300, 35)]),
    'seven': ([(50, .61), (80, .7), (120, .78), (200, .86), (310, .9), (480, .93), (800, .95)],
              [(40, .6), (75, .73), (110, .79), (190, .88), (300, .92), (500, .94), (760, .953)]),
}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--libvmaf')
    libvmaf = p.parse_args().libvmaf
    print('scikit-image', skimage.__version__, 'scipy', scipy.__version__, 'numpy', np.__version__, 'opencv', cv2.__version__,
          subprocess.run(['ffmpeg', '-version'], stdout=subprocess.PIPE, text=True).stdout.split(' Copyright')[0])
    print('luma: sum over all 2^24 colours of luma * (index mod 65521), red the highest byte of the index, and four colours')
    rgb = np.stack(np.unravel_index(np.arange(1 << 24), (256, 256, 256)), -1).astype(np.uint8).reshape(4096, 4096, 3)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).reshape(-1)
    print(int((luma.astype(np.int64) * (np.arange(1 << 24) % 65521)).sum()), [int(luma[i]) for i in (0x123456, 0xff0000, 0x00ff00, 0x0000ff)])
    for width, height in SIZES:
        a = reference(width, height)
        for kind in KINDS:
            b = distorted(a, kind)
            scales, multi = ms_ssim(a, b)
            said = re.search(r'average:([\d.]+)', ffmpeg_filter('ffmpeg', b, a, 'psnr')).group(1)
            line = f'[InlineData({width}, {height}, "{kind}", {ssim(a.astype(float), b.astype(float)):.9f}, {scales}, {multi:.9f}, {said})]'
            if libvmaf and scales == 5 and min(width, height) >= 176:
                line += f' libvmaf {libvmaf_ms_ssim(libvmaf, a, b):.5f}'
            print(line)
    for name, (anchor, test) in CURVES.items():
        print(name, *('%s %.9f %.9f' % (fit, *bd(anchor, test, fit)) for fit in ('pchip', 'cubic')))
    x, y = [0, 1, 3, 4, 7], [0, 2, 2.5, 2.4, 5]
    pchip = PchipInterpolator(x, y)
    print('pchip', ['%.12f' % pchip(v) for v in (.3, 2, 3.5, 6)], '%.12f' % pchip.integrate(.5, 6.5), pchip.derivative()(x).tolist())


if __name__ == '__main__':
    main()
