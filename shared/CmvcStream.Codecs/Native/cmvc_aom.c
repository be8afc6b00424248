// A flat C surface over libaom: integers and pointers only, so that the C# side needs no libaom structure. libaom's
// structures and control numbers differ between releases; compiled against the headers of this machine, this file has
// the right ones, and libaom's own ABI check at initialisation catches a library that was exchanged afterwards.
// Works with libaom 3.3 (Ubuntu 22.04) and later: no control or field newer than that without #ifdef.

#include <aom/aom_decoder.h>
#include <aom/aom_encoder.h>
#include <aom/aomcx.h>
#include <aom/aomdx.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Raise whenever a signature or a meaning below changes; AomNative.cs holds the same number.
#define CMVC_AOM_ABI 3

// major << 16 | minor << 8 | patch of the headers; build.sh passes it, as libaom installs no version header.
#ifndef CMVC_AOM_BUILT_AGAINST
#define CMVC_AOM_BUILT_AGAINST 0
#endif

#define EXPORT __attribute__((visibility("default")))

enum { CMVC_OK = 0, CMVC_FAILED = 1, CMVC_ABI_MISMATCH = 2, CMVC_NO_PICTURE = 3, CMVC_UNSUPPORTED = 4 };

// The seven references of a frame (AV1 specification, 6.10.24), of which three are ever predicted from; ReferenceState in C# has the
// same numbers.
enum { REFERENCES = 7, SLOTS = 8, LAST = 0, GOLDEN = 3, ALTREF = 6 };

#ifndef AOM_CTRL_AV1E_SET_SVC_REF_FRAME_CONFIG
#error "this libaom cannot be told which slot each reference stands for (AV1E_SET_SVC_REF_FRAME_CONFIG)"
#endif
_Static_assert(sizeof(((aom_svc_ref_frame_config_t *)0)->ref_idx) == REFERENCES * sizeof(int), "seven references");
_Static_assert(sizeof(((aom_svc_ref_frame_config_t *)0)->refresh) == SLOTS * sizeof(int), "eight slots");

typedef struct {
  aom_codec_ctx_t codec;
  aom_codec_enc_cfg_t config;
  aom_image_t image;
  int opened;
  int64_t next_pts;
  char error[256];
} cmvc_encoder;

typedef struct {
  aom_codec_ctx_t codec;
  const aom_image_t *picture;
  int opened;
  char error[256];
} cmvc_decoder;

static int fail(char *error, size_t size, const char *what, aom_codec_ctx_t *codec, aom_codec_err_t code) {
  const char *detail = codec ? aom_codec_error_detail(codec) : NULL;
  snprintf(error, size, "%s: %s%s%s", what, aom_codec_err_to_string(code), detail ? ": " : "", detail ? detail : "");
  return code == AOM_CODEC_ABI_MISMATCH ? CMVC_ABI_MISMATCH : CMVC_FAILED;
}

EXPORT int cmvc_aom_abi(void) { return CMVC_AOM_ABI; }

EXPORT int cmvc_aom_built_against(void) { return CMVC_AOM_BUILT_AGAINST; }

EXPORT int cmvc_aom_runtime_version(void) { return aom_codec_version(); }

// ---- encoder ----

EXPORT void cmvc_aom_encoder_close(cmvc_encoder *e) {
  if (!e) return;
  if (e->opened) aom_codec_destroy(&e->codec);
  free(e);
}

EXPORT const char *cmvc_aom_encoder_error(const cmvc_encoder *e) { return e ? e->error : "out of memory"; }

// Opens an encoder of pictures up to width x height. *out is set even after a failure (for its error text) unless memory
// ran out; close it. Usage is always good quality: realtime usage moves references between slots by its own rules, and
// aborts (libaom 3.6, an assertion in rate control) when size and quality both change.
EXPORT int cmvc_aom_encoder_open(cmvc_encoder **out, int width, int height, int cpu_used, int threads) {
  cmvc_encoder *e = *out = calloc(1, sizeof *e);
  if (!e) return CMVC_FAILED;
  aom_codec_iface_t *av1 = aom_codec_av1_cx();
  aom_codec_err_t r = aom_codec_enc_config_default(av1, &e->config, AOM_USAGE_GOOD_QUALITY);
  if (r) return fail(e->error, sizeof e->error, "encoder defaults", NULL, r);
  e->config.g_w = e->config.g_forced_max_frame_width = (unsigned)width;
  e->config.g_h = e->config.g_forced_max_frame_height = (unsigned)height;
  e->config.g_threads = (unsigned)threads;
  e->config.g_timebase.num = 1;  // Nominal: with constant quality, time changes nothing.
  e->config.g_timebase.den = 4;
  e->config.g_lag_in_frames = 0;
  e->config.g_error_resilient = 0;
  e->config.rc_end_usage = AOM_Q;
  e->config.kf_mode = AOM_KF_DISABLED;
  e->config.kf_min_dist = 0;
  e->config.kf_max_dist = INT_MAX;
  r = aom_codec_enc_init(&e->codec, av1, &e->config, 0);
  if (r) return fail(e->error, sizeof e->error, "encoder start", NULL, r);
  e->opened = 1;
  r = aom_codec_control(&e->codec, AOME_SET_CPUUSED, cpu_used);
  if (r) return fail(e->error, sizeof e->error, "cpu-used", &e->codec, r);
  // Intra block copy, which libaom tries on what looks like a screen, asserts (3.6) once the size has changed.
  r = aom_codec_control(&e->codec, AV1E_SET_ENABLE_INTRABC, 0);
  if (r) return fail(e->error, sizeof e->error, "enable-intrabc", &e->codec, r);
  // With order hints a frame depends on the order of all its references, predicted from or not (AV1 specification, 7.8 and 5.9.22), and on
  // their not being 64 frames old, trials counted. Without them a frame is a byte smaller, and what they bring is less than that.
  r = aom_codec_control(&e->codec, AV1E_SET_ENABLE_ORDER_HINT, 0);
  if (r) return fail(e->error, sizeof e->error, "enable-order-hint", &e->codec, r);
  return CMVC_OK;
}

// Sets a tool by libaom's command-line name, for example enable-cdef. Before the first picture.
EXPORT int cmvc_aom_encoder_option(cmvc_encoder *e, const char *name, const char *value) {
  aom_codec_err_t r = aom_codec_set_option(&e->codec, name, value);
  return r ? fail(e->error, sizeof e->error, name, &e->codec, r) : CMVC_OK;
}

static int configure(cmvc_encoder *e, int width, int height, int quality) {
  if (e->config.g_w == (unsigned)width && e->config.g_h == (unsigned)height && e->config.rc_min_quantizer == (unsigned)quality &&
      e->config.rc_max_quantizer == (unsigned)quality)
    return CMVC_OK;
  // One allowed quantizer: with an open range libaom gives intra frames, and in good quality nearly every frame, a far
  // better (and costlier) quantizer than the one asked for.
  e->config.rc_min_quantizer = e->config.rc_max_quantizer = (unsigned)quality;
  e->config.g_w = (unsigned)width;
  e->config.g_h = (unsigned)height;
  aom_codec_err_t r = aom_codec_control(&e->codec, AOME_SET_CQ_LEVEL, quality);
  if (r) return fail(e->error, sizeof e->error, "cq-level", &e->codec, r);
  r = aom_codec_enc_config_set(&e->codec, &e->config);
  return r ? fail(e->error, sizeof e->error, "encoder settings", &e->codec, r) : CMVC_OK;
}

// Says which slot each reference stands for, which of them may be predicted from (bit i: reference i) and which slots this frame
// fills (bit i: slot i; libaom fills only slots that are among the references). It holds until it is said anew.
static int set_references(cmvc_encoder *e, const uint8_t slots[REFERENCES], int predict, int store) {
  aom_svc_ref_frame_config_t config = { 0 };
  for (int i = 0; i < REFERENCES; i++) config.ref_idx[i] = slots[i], config.reference[i] = predict >> i & 1;
  for (int i = 0; i < SLOTS; i++) config.refresh[i] = store >> i & 1;
  aom_codec_err_t r = aom_codec_control(&e->codec, AV1E_SET_SVC_REF_FRAME_CONFIG, &config);
  return r ? fail(e->error, sizeof e->error, "references", &e->codec, r) : CMVC_OK;
}

// The flags say once more what may be predicted from. Those of updates only make libaom heed set_references(): without any it chooses
// slots by itself.
static aom_enc_frame_flags_t frame_flags(int predict, int inherit) {
  aom_enc_frame_flags_t f = AOM_EFLAG_NO_REF_LAST2 | AOM_EFLAG_NO_REF_LAST3 | AOM_EFLAG_NO_REF_BWD | AOM_EFLAG_NO_REF_ARF2;
  f |= AOM_EFLAG_NO_UPD_GF | AOM_EFLAG_NO_UPD_ARF;
  if (!(predict >> LAST & 1)) f |= AOM_EFLAG_NO_REF_LAST;
  if (!(predict >> GOLDEN & 1)) f |= AOM_EFLAG_NO_REF_GF;
  if (!(predict >> ALTREF & 1)) f |= AOM_EFLAG_NO_REF_ARF;
  // Probabilities are inherited from a reference too; which one libaom takes differs between releases (3.6: what is in slot 0). A frame
  // that must do without it starts from the defaults. (Not AOM_EFLAG_ERROR_RESILIENT: a decoder that misses a reference then puts a
  // grey picture of the largest size there, whose scale may be too large a step for this frame.)
  if (!inherit) f |= AOM_EFLAG_SET_PRIMARY_REF_NONE;
  return f;
}

// libaom sizes its buffers by the first picture, and a later larger one costs an intra frame. So where the chain starts
// small, a flat picture of full size goes first and is thrown away; the next one is intra by the maximum distance of 1.
EXPORT int cmvc_aom_encoder_prime(cmvc_encoder *e) {
  e->config.kf_mode = AOM_KF_AUTO;
  e->config.kf_max_dist = 1;
  int w = (int)e->config.g_w, h = (int)e->config.g_h;
  e->config.rc_max_quantizer = 0;  // Differs from what is asked, so that configure() applies all.
  int code = configure(e, w, h, 63);
  if (code) return code;
  aom_image_t *flat = aom_img_alloc(NULL, AOM_IMG_FMT_I420, (unsigned)w, (unsigned)h, 16);
  if (!flat) return fail(e->error, sizeof e->error, "flat picture", NULL, AOM_CODEC_MEM_ERROR);
  for (int p = 0; p < 3; p++)
    for (int y = 0; y < (p ? (h + 1) / 2 : h); y++) memset(flat->planes[p] + (ptrdiff_t)y * flat->stride[p], 128, (size_t)(p ? (w + 1) / 2 : w));
  aom_codec_err_t r = aom_codec_encode(&e->codec, flat, e->next_pts++, 1, frame_flags(1 << LAST, 1));
  aom_img_free(flat);
  if (r) return fail(e->error, sizeof e->error, "flat picture", &e->codec, r);
  aom_codec_iter_t iter = NULL;
  while (aom_codec_get_cx_data(&e->codec, &iter)) {
  }
  e->config.kf_mode = AOM_KF_DISABLED;
  e->config.kf_max_dist = INT_MAX;
  e->config.rc_max_quantizer = 0;
  return CMVC_OK;
}

// Skips a temporal delimiter, which libaom writes first: the wire carries one picture a message and needs none.
static void strip_delimiter(const uint8_t **data, size_t *size) {
  if (*size >= 2 && ((*data)[0] >> 3 & 15) == 2 && (*data)[1] == 0) *data += 2, *size -= 2;
}

// Encodes one picture of width x height (at most the size at opening). quality: 0 to 63. slots, predict, store: see set_references();
// inherit: 0 where the decoder may have another picture than we in slot 0. The packet is valid until the next call.
EXPORT int cmvc_aom_encode(cmvc_encoder *e, uint8_t *const planes[3], const int strides[3], int width, int height, int quality,
                           const uint8_t slots[REFERENCES], int predict, int store, int inherit, const uint8_t **packet, int *packet_size,
                           int *is_intra, int *quantizer_index) {
  int code = configure(e, width, height, quality);
  if (!code) code = set_references(e, slots, predict, store);
  if (code) return code;
  if (!aom_img_wrap(&e->image, AOM_IMG_FMT_I420, (unsigned)width, (unsigned)height, 1, planes[0]))
    return fail(e->error, sizeof e->error, "picture", NULL, AOM_CODEC_INVALID_PARAM);
  for (int p = 0; p < 3; p++) e->image.planes[p] = planes[p], e->image.stride[p] = strides[p];
  aom_codec_err_t r = aom_codec_encode(&e->codec, &e->image, e->next_pts++, 1, frame_flags(predict, inherit));
  if (r) return fail(e->error, sizeof e->error, "encode", &e->codec, r);

  *packet = NULL;
  const aom_codec_cx_pkt_t *p;
  aom_codec_iter_t iter = NULL;
  while ((p = aom_codec_get_cx_data(&e->codec, &iter))) {
    if (p->kind != AOM_CODEC_CX_FRAME_PKT || *packet) continue;
    const uint8_t *data = p->data.frame.buf;
    size_t size = p->data.frame.sz;
    strip_delimiter(&data, &size);
    *packet = data;
    *packet_size = (int)size;
    *is_intra = (p->data.frame.flags & AOM_FRAME_IS_KEY) != 0;
  }
  if (!*packet) return CMVC_NO_PICTURE;
  r = aom_codec_control(&e->codec, AOME_GET_LAST_QUANTIZER, quantizer_index);
  return r ? fail(e->error, sizeof e->error, "last quantizer", &e->codec, r) : CMVC_OK;
}

// ---- decoder ----

EXPORT void cmvc_aom_decoder_close(cmvc_decoder *d) {
  if (!d) return;
  if (d->opened) aom_codec_destroy(&d->codec);
  free(d);
}

EXPORT const char *cmvc_aom_decoder_error(const cmvc_decoder *d) { return d ? d->error : "out of memory"; }

EXPORT int cmvc_aom_decoder_open(cmvc_decoder **out, int threads) {
  cmvc_decoder *d = *out = calloc(1, sizeof *d);
  if (!d) return CMVC_FAILED;
  aom_codec_dec_cfg_t config = { .threads = (unsigned)threads, .w = 0, .h = 0, .allow_lowbitdepth = 1 };
  aom_codec_err_t r = aom_codec_dec_init(&d->codec, aom_codec_av1_dx(), &config, 0);
  if (r) return fail(d->error, sizeof d->error, "decoder start", NULL, r);
  d->opened = 1;
  return CMVC_OK;
}

// The largest picture that a sequence header announces.
EXPORT int cmvc_aom_sequence_size(const uint8_t *data, int size, int *width, int *height) {
  aom_codec_stream_info_t info = { 0 };
  if (aom_codec_peek_stream_info(aom_codec_av1_dx(), data, (size_t)size, &info)) return CMVC_FAILED;
  *width = (int)info.w;
  *height = (int)info.h;
  return info.w && info.h ? CMVC_OK : CMVC_FAILED;
}

// Decodes one picture; its pixels are fetched with cmvc_aom_copy before the next call. stored: bit i where it fills slot i;
// quantizer: the frame's base_q_idx, 0 to 255.
EXPORT int cmvc_aom_decode(cmvc_decoder *d, const uint8_t *data, int size, int *width, int *height, int *stored, int *quantizer) {
  d->picture = NULL;
  aom_codec_err_t r = aom_codec_decode(&d->codec, data, (size_t)size, NULL);
  if (r) return fail(d->error, sizeof d->error, "decode", &d->codec, r);
  aom_codec_iter_t iter = NULL;
  const aom_image_t *image = aom_codec_get_frame(&d->codec, &iter);
  if (!image) return CMVC_NO_PICTURE;
  if (image->fmt != AOM_IMG_FMT_I420 || image->bit_depth != 8) {
    snprintf(d->error, sizeof d->error, "the picture is %u bit, format %d; 8 bit 4:2:0 is expected", image->bit_depth, (int)image->fmt);
    return CMVC_UNSUPPORTED;
  }
  r = aom_codec_control(&d->codec, AOMD_GET_LAST_REF_UPDATES, stored);
  if (r) return fail(d->error, sizeof d->error, "stored slots", &d->codec, r);
  r = aom_codec_control(&d->codec, AOMD_GET_LAST_QUANTIZER, quantizer);
  if (r) return fail(d->error, sizeof d->error, "quantizer", &d->codec, r);
  d->picture = image;
  *width = (int)image->d_w;
  *height = (int)image->d_h;
  return CMVC_OK;
}

EXPORT void cmvc_aom_copy(const cmvc_decoder *d, uint8_t *const planes[3], const int strides[3]) {
  for (int p = 0; p < 3; p++) {
    size_t width = p ? (d->picture->d_w + 1) / 2 : d->picture->d_w, height = p ? (d->picture->d_h + 1) / 2 : d->picture->d_h;
    for (size_t y = 0; y < height; y++)
      memcpy(planes[p] + (ptrdiff_t)y * strides[p], d->picture->planes[p] + (ptrdiff_t)y * d->picture->stride[p], width);
  }
}
