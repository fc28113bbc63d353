"""The kinds of videos that a gateway may return, each with its maker and the expected outcome.

`test_playing` checks the verdicts against this table, `tests/browser/test_videos.py` takes each
video the whole way, and `docs/videos_page.py` shows the table.
"""

from fractions import Fraction

from bot.media.judging import Way
from tests.unit.media.making import (
    B_FRAMES,
    FAST,
    HALF,
    HOLE,
    LATE,
    NORMAL,
    PACED,
    PHONE,
    SIZE,
    STILL,
    WIDE,
    Matrix,
    as_avc3,
    cut,
    edited,
    followed_by,
    good,
    standing_still,
    twice,
    video,
    with_chapters,
    with_chapters_and_subtitles,
    with_cover,
    with_credentials,
    with_second_video,
    with_tail,
    with_time_code,
    without_length,
    x264,
    x265,
)

KEPT = {
    "just that": good(sound="aac"),
    "without sound": good(options=B_FRAMES),
    "with a hole": good(times=HOLE),
    "B-frames with negative offsets": video(
        "libx264", "mp4", flags=FAST + "+negative_cts_offsets", options={"preset": "fast"}
    ),
    "one picture": good(times=range(1)),
    "60 pictures a second": good(rate=60, times=range(60)),
    "23.976 pictures a second": good(rate=Fraction(24000, 1001), sound="aac"),
    "sound that lasts longer": good(sound="aac", heard=2),
    "sound that ends early": good(sound="aac", heard=0.4),
    "sound that begins late": good(sound="aac", quiet=(0, 0.5)),
    "pictures that begin late": good(sound="aac", times=LATE),
    "sound of six channels": good(sound="aac", layout="5.1"),
    "sound of 8 kHz": good(sound="aac", **PHONE),
    "content credentials": good(sound="aac", after=with_credentials),
    "chapters": good(sound="aac", beside=with_chapters),
    "a time code": good(beside=with_time_code),
    "a cover": good(beside=with_cover),
    "16 by 16": good(size=(16, 16), posted=(16, 16)),
    "4096 by 2160": good(size=(4096, 2160), times=range(3), posted=(4096, 2160), is_large=True),
}
REMUXED = {
    "a late index": video("libx264", "mp4", "index", sound="aac"),
    "a late index and no sound": video("libx264", "mp4", "index", options=B_FRAMES),
    "a file in parts": video(
        "libx264", "mp4", "index", sound="aac", flags="+frag_keyframe+empty_moov"
    ),
    "parts for DASH": video(
        "libx264", "mp4", "index", sound="aac", flags="+dash+frag_keyframe+delay_moov"
    ),
    "Smooth Streaming": video("libx264", "ismv", "index", sound="aac"),
    "3GP": video("libx264", "3gp", "index", sound="aac"),
    "parameters in the stream": good("tag", after=as_avc3),
    "a first time that is not zero": good("start", times=LATE),
    "bytes behind the last box": good("tail", sound="aac", after=with_tail),
    "an edit list that lets time stand still": good(
        "edits", times=range(48), after=edited((1, 0, NORMAL), (1, 1, STILL), (1, 1, NORMAL))
    ),
    "an edit list of half the speed": good("edits", after=edited((2, 0, HALF))),
    "an edit list with nothing in the middle": good(
        "edits", after=edited((0.5, 0, NORMAL), (1, None, NORMAL), (0.5, 0.5, NORMAL))
    ),
    "an edit list that shows nothing": good("edits", after=edited((1, 9, NORMAL))),
    "an index without a length": good("length", sound="aac", after=without_length),
    "two sounds": good("tracks", sound="aac", second_sound="aac"),
    "two videos": good("tracks", beside=with_second_video),
    "QuickTime": video("libx264", "mov", "container", sound="aac"),
    "QuickTime with a time code": video("libx264", "mov", "container", beside=with_time_code),
    "Matroska": video("libx264", "matroska", "container", sound="aac"),
    "Matroska with B-frames": video("libx264", "matroska", "container", options=B_FRAMES),
    "Matroska with a hole": video("libx264", "matroska", "container", times=HOLE, options=B_FRAMES),
    "Matroska of variable rate": video(
        "libx264", "matroska", "container", times=PACED, options=B_FRAMES
    ),
    "Matroska with chapters and subtitles": video(
        "libx264",
        "matroska",
        "container",
        sound="aac",
        beside=with_chapters_and_subtitles,
    ),
    "Matroska of one picture a second": video(
        "libx264", "matroska", "container", rate=1, times=range(3), sound="aac"
    ),
    "a transport stream": video("libx264", "mpegts", "container", sound="aac", options=B_FRAMES),
    "a transport stream that begins late": video(
        "libx264", "mpegts", "container start", times=LATE, options=B_FRAMES
    ),
    "Flash of H.264": video("libx264", "flv", "container", sound="aac"),
    "AVI of H.264": video("libx264", "avi", "container"),
    "AVI of H.264 with AAC": video("libx264", "avi", "container", sound="aac"),
}
HEARD_ANEW = {
    "PCM sound": good("sound", sound="pcm_s16le"),
    "Opus sound": good("sound", sound="libopus"),
    "MP3 sound": good("sound", sound="libmp3lame"),
    "AC-3 sound": good("sound", sound="ac3"),
    "E-AC-3 sound": good("sound", sound="eac3"),
    "FLAC sound": good("sound", sound="flac"),
    "ALAC sound": good("sound", sound="alac"),
    "AMR sound in 3GP": video("libx264", "3gp", "sound index", sound="libopencore_amrnb", **PHONE),
    "Opus in Matroska": video("libx264", "matroska", "sound container", sound="libopus"),
    "Vorbis in Matroska": video("libx264", "matroska", "sound container", sound="vorbis"),
    "AC-3 of six channels": video(
        "libx264", "matroska", "sound container", sound="ac3", layout="5.1"
    ),
    "PCM in QuickTime": video("libx264", "mov", "sound container", sound="pcm_s24le"),
    "MP3 in Flash": video(
        "libx264", "flv", "sound container", sound="libmp3lame", sound_rate=44100
    ),
    "MP3 in AVI": video("libx264", "avi", "sound container", sound="libmp3lame"),
    "MP2 in a transport stream": video("libx264", "mpegts", "sound container", sound="mp2"),
    "AAC of eight channels": good("sound", sound="aac", layout="7.1(wide)"),
    "AAC of 96 kHz": good("sound", sound="aac", sound_rate=96000),
    "AAC with a hole": good("sound_holes", sound="aac", times=range(48), quiet=(0.5, 1.5)),
    "AAC with a hole in Matroska": video(
        "libx264",
        "matroska",
        "sound_holes container",
        sound="aac",
        times=range(48),
        quiet=(0.5, 1.5),
    ),
}
HEARD_ANEW["AAC that changes its channels"] = video(
    "libx264",
    "mpegts",
    "sound_changes sound_overlaps container",
    sound="aac",
    layout="mono",
    after=followed_by("libx264", sound="aac", times=range(24, 48), heard=2, quiet=(0, 1)),
)
_HEVC = "codec index tag"
_OTHER = "codec container"
_PIXELS = "codec pixels container"
SEEN_ANEW = {
    "HEVC": video("libx265", "mp4", _HEVC, sound="aac"),
    "HEVC of 10 bits": video("libx265", "mp4", "codec pixels index tag", pix_fmt="yuv420p10le"),
    "HEVC of 4:2:2": video("libx265", "mp4", "codec pixels index tag", pix_fmt="yuv422p10le"),
    "HEVC of 4:4:4 and 12 bits": video(
        "libx265", "mp4", "codec pixels index tag", pix_fmt="yuv444p12le"
    ),
    "HEVC of RGB": video("libx265", "mp4", "codec pixels index tag", pix_fmt="gbrp"),
    "HEVC of grey": video("libx265", "mp4", "codec pixels index tag", pix_fmt="gray"),
    "HEVC in QuickTime": video("libx265", "mov", _OTHER, sound="aac"),
    "HEVC in Matroska": video("libx265", "matroska", _OTHER, sound="aac"),
    "HEVC in a transport stream": video("libx265", "mpegts", _OTHER, sound="aac"),
    "HEVC in a transport stream that begins late": video(
        "libx265", "mpegts", _OTHER + " start", times=LATE
    ),
    "HEVC with a hole": video("libx265", "mp4", _HEVC, times=HOLE, sound="aac"),
    "HEVC of one picture": video("libx265", "mp4", _HEVC, times=range(1), options=x265(bframes=0)),
    "HEVC of one picture a second": video(
        "libx265", "mp4", _HEVC, rate=1, times=range(3), sound="aac"
    ),
    "HEVC of 23.976 pictures a second": video(
        "libx265", "mp4", _HEVC, rate=Fraction(24000, 1001), sound="aac"
    ),
    "HEVC with a second of sound too much": video(
        "libx265", "mp4", "codec sound index tag", sound="libopus", heard=2
    ),
    "HEVC with sound that ends early": video(
        "libx265", "mp4", "codec sound index tag", sound="libopus", heard=0.4
    ),
    "HEVC with sound that begins late": video("libx265", "mp4", _HEVC, sound="aac", quiet=(0, 0.5)),
    "HEVC with pictures that begin late": video("libx265", "mp4", _HEVC, sound="aac", times=LATE),
    "HEVC with a track of sound that is empty": video(
        "libx265", "matroska", "codec sound container", sound="libopus", heard=0
    ),
    "HEVC for bright screens (PQ)": video(
        "libx265",
        "mp4",
        "codec pixels hdr index tag",
        pix_fmt="yuv420p10le",
        still=True,
        options=x265(**WIDE, transfer="smpte2084"),
    ),
    "HEVC for bright screens (HLG)": video(
        "libx265",
        "mp4",
        "codec pixels hdr index tag",
        pix_fmt="yuv420p10le",
        still=True,
        options=x265(**WIDE, transfer="arib-std-b67"),
    ),
    "AV1": video("libsvtav1", "mp4", _HEVC, sound="aac"),
    "AV1 of 10 bits": video("libsvtav1", "mp4", "codec pixels index tag", pix_fmt="yuv420p10le"),
    "AV1 with Opus in WebM": video("libsvtav1", "webm", "codec sound container", sound="libopus"),
    "VP9 with Opus in WebM": video("libvpx-vp9", "webm", "codec sound container", sound="libopus"),
    "VP9 in MP4": video("libvpx-vp9", "mp4", "codec sound index tag", sound="libopus"),
    "VP9 with alpha": video("libvpx-vp9", "webm", _OTHER, pix_fmt="yuva420p"),
    "VP9 of 4:4:4": video("libvpx-vp9", "webm", _PIXELS, pix_fmt="yuv444p"),
    "VP9 of RGB": video("libvpx-vp9", "webm", _PIXELS, pix_fmt="gbrp"),
    "VP9 of variable rate": video("libvpx-vp9", "webm", _OTHER, times=PACED),
    "VP8 with Vorbis": video("libvpx", "webm", "codec sound container", sound="vorbis"),
    "VP8 in OGG": video("libvpx", "ogg", "codec sound container", sound="vorbis"),
    "MPEG-4 Visual": video("mpeg4", "mp4", "codec tag", sound="aac", flags=FAST),
    "MPEG-4 Visual in AVI": video("mpeg4", "avi", "codec sound container", sound="libmp3lame"),
    "MPEG-4 Visual with B-frames in AVI": video(
        "mpeg4", "avi", "codec times container", options={"bf": "2"}
    ),
    "MPEG-2": video("mpeg2video", "mpegts", "codec sound container", sound="mp2"),
    "MPEG-2 of 4:2:2": video("mpeg2video", "mpegts", _PIXELS, pix_fmt="yuv422p"),
    "MPEG-2 on a DVD": video("mpeg2video", "vob", "codec sound container start", sound="ac3"),
    "MPEG-1": video("mpeg1video", "mpeg", "codec sound container start", sound="mp2"),
    "H.263 in 3GP": video(
        "h263",
        "3gp",
        "codec pixel_shape sound index tag",
        size=(176, 144),
        sound="libopencore_amrnb",
        **PHONE,
        posted=(192, 144),
    ),
    "Flash": video("flv", "flv", _OTHER),
    "a screen in Flash": video("flashsv", "flv", _PIXELS, pix_fmt="bgr24"),
    "Windows Media": video("wmv2", "asf", "codec sound container", sound="libmp3lame"),
    "ProRes with PCM": video(
        "prores_ks", "mov", "codec pixels sound container", pix_fmt="yuv422p10le", sound="pcm_s16le"
    ),
    "ProRes with alpha": video("prores_ks", "mov", _PIXELS, pix_fmt="yuva444p10le"),
    "DNxHR": video(
        "dnxhd",
        "mov",
        _PIXELS,
        size=(256, 128),
        pix_fmt="yuv422p",
        options={"profile": "dnxhr_sq"},
        posted=(256, 128),
    ),
    "CineForm": video("cfhd", "mov", _PIXELS, pix_fmt="yuv422p10le"),
    "DV": video(
        "dvvideo",
        "avi",
        "codec interlaced pixel_shape container",
        size=(720, 576),
        rate=25,
        times=range(10),
        pixel=Fraction(16, 15),
        posted=(768, 576),
    ),
    "Motion JPEG": video("mjpeg", "avi", _PIXELS, pix_fmt="yuvj420p"),
    "Motion JPEG in QuickTime": video("mjpeg", "mov", _PIXELS, pix_fmt="yuvj444p"),
    "JPEG 2000": video("jpeg2000", "mov", _PIXELS, pix_fmt="rgb24"),
    "PNG in QuickTime": video("png", "mov", _PIXELS, pix_fmt="rgb24"),
    "Animation in QuickTime": video("qtrle", "mov", _PIXELS, pix_fmt="argb"),
    "Sorenson in QuickTime": video("svq1", "mov", _PIXELS, pix_fmt="yuv410p"),
    "Cinepak": video("cinepak", "avi", _PIXELS, pix_fmt="rgb24"),
    "a moving GIF": video("gif", "gif", _PIXELS, pix_fmt="rgb8"),
    "a moving PNG": video("apng", "apng", _PIXELS, pix_fmt="rgb24"),
    "VP9 in IVF": video("libvpx-vp9", "ivf", _OTHER),
    "FFV1 with FLAC": video("ffv1", "matroska", "codec sound container", sound="flac"),
    "FFV1 of RGB and 10 bits": video("ffv1", "matroska", _PIXELS, pix_fmt="gbrp10le"),
    "FFV1 of 16 bits": video("ffv1", "matroska", _PIXELS, pix_fmt="yuv444p16le"),
    "FFV1 of grey and 16 bits": video("ffv1", "matroska", _PIXELS, pix_fmt="gray16le"),
    "FFV1 with six channels of FLAC": video(
        "ffv1", "matroska", "codec sound container", sound="flac", layout="5.1"
    ),
    "HuffYUV": video("huffyuv", "avi", _PIXELS, pix_fmt="yuv422p"),
    "Ut Video of RGB": video("utvideo", "avi", _PIXELS, pix_fmt="gbrp"),
    "MagicYUV with alpha": video("magicyuv", "avi", _PIXELS, pix_fmt="gbrap"),
    "plain pixels in AVI": video("rawvideo", "avi", _PIXELS, pix_fmt="bgr24"),
    "plain pixels in QuickTime": video("rawvideo", "mov", _PIXELS, pix_fmt="uyvy422"),
    "plain pixels in Matroska": video("rawvideo", "matroska", _PIXELS, pix_fmt="nv12"),
    "H.264 of 10 bits": good("pixels profile", pix_fmt="yuv420p10le"),
    "H.264 of 4:2:2": good("pixels profile", pix_fmt="yuv422p"),
    "H.264 of 4:2:2 and 10 bits": good("pixels profile", pix_fmt="yuv422p10le"),
    "H.264 of 4:4:4": good("pixels profile", pix_fmt="yuv444p"),
    "H.264 of RGB": video("libx264rgb", "mp4", "pixels profile", pix_fmt="rgb24", flags=FAST),
    "H.264 of full range": good("pixels", pix_fmt="yuvj420p"),
    "lossless H.264": good("profile", options={"qp": "0"}),
    "H.264 of level 6.2": good("level", options={"level": "62"}),
    "interlaced H.264": good("interlaced", options=x264(tff=1)),
    "interlaced MPEG-2": video(
        "mpeg2video", "mpegts", "codec interlaced container", options={"flags": "+ilme+ildct"}
    ),
    "H.264 for bright screens": good("hdr", still=True, options=x264(**WIDE, transfer="smpte2084")),
    "H.264 with B-frames in AVI": video("libx264", "avi", "times container", options=B_FRAMES),
    "H.264 in a program stream": video("libx264", "mpeg", "sound container start", sound="mp2"),
    "odd sides": video(
        "libvpx-vp9", "webm", "codec odd_size container", size=(63, 47), posted=(62, 46)
    ),
    "odd sides of 4:4:4": good(
        "pixels profile odd_size", size=(65, 49), pix_fmt="yuv444p", posted=(64, 48)
    ),
    "853 by 481": video(
        "libvpx-vp9",
        "webm",
        "codec odd_size container",
        size=(853, 481),
        times=range(8),
        posted=(852, 480),
    ),
    "one pixel": video(
        "ffv1",
        "matroska",
        "codec pixels odd_size container",
        size=(1, 1),
        pix_fmt="yuv444p",
        posted=(2, 2),
    ),
    "wide pixels": good("pixel_shape", pixel=Fraction(4, 3), posted=(84, 48)),
    "narrow pixels": good("pixel_shape", pixel=Fraction(3, 4), posted=(48, 48)),
    "wide pixels on their side": video(
        "libx265",
        "mp4",
        "codec pixel_shape turned index tag",
        pixel=Fraction(4, 3),
        matrix=(0, 1, -1, 0),
        posted=(48, 84),
    ),
    "interlaced wide pixels on their side": good(
        "interlaced pixel_shape turned sound",
        pixel=Fraction(4, 3),
        matrix=(0, 1, -1, 0),
        options=x264(tff=1),
        sound="libopus",
        posted=(48, 84),
    ),
    "cut by an edit list": good("cut", times=range(48), after=cut),
    "cut by an edit list, with sound": good(
        "cut sound_cut", times=range(48), sound="aac", after=cut
    ),
    "parts in another order by an edit list": good(
        "cut", times=range(48), after=edited((1, 1, NORMAL), (1, 0, NORMAL))
    ),
    "a part shown twice by an edit list": good(
        "cut", times=range(48), after=edited((1, 0, NORMAL), (1, 0, NORMAL))
    ),
    "an edit list that lasts too long": good("cut", after=edited((9, 0, NORMAL))),
    "120 pictures a second": good("rate", rate=120, times=range(60)),
    "a video behind a video": video(
        "libx264", "mpegts", "times container", sound="aac", after=twice
    ),
    "pictures that all have one time": good("times", sound="aac", after=standing_still),
    "another size on the way": video(
        "libx264",
        "mpegts",
        "sizes container",
        after=followed_by("libx264", size=(128, 96), times=range(24, 48)),
    ),
    "HEVC of 4096 by 2160": video(
        "libx265",
        "mp4",
        _HEVC,
        size=(4096, 2160),
        times=range(3),
        posted=(4096, 2160),
        is_large=True,
    ),
    "HEVC of 4K and 120 pictures a second": video(
        "libx265",
        "mp4",
        "codec rate index tag",
        size=(3840, 2160),
        rate=120,
        times=range(4),
        posted=(3840, 2160),
        is_large=True,
    ),
    "7680 by 4320": good(
        "level size", size=(7680, 4320), times=range(2), posted=(4096, 2304), is_large=True
    ),
    "4096 by 4096": good(
        "level size", size=(4096, 4096), times=range(2), posted=(3072, 3072), is_large=True
    ),
}
TURNS: dict[str, tuple[Matrix, str]] = {
    "upright": ((1, 0, 0, 1), "RGWB"),
    "on its head": ((-1, 0, 0, -1), "WBRG"),
    "mirrored": ((-1, 0, 0, 1), "GRBW"),
    "mirrored on its head": ((1, 0, 0, -1), "BWGR"),
    "turned left": ((0, -1, 1, 0), "GWBR"),
    "turned right": ((0, 1, -1, 0), "BRGW"),
    "turned left and mirrored": ((0, 1, 1, 0), "RBWG"),
    "turned right and mirrored": ((0, -1, -1, 0), "WGRB"),
}
"""The rotation matrix, and the corners of the picture as it must be shown, clockwise from the upper
left."""
TURNED = {
    name: good(
        "" if name == "upright" else "turned",
        matrix=matrix,
        still=True,
        posted=SIZE if matrix[0] else (48, 64),
    )
    for name, (matrix, _) in TURNS.items()
}
UNREAD = {
    "a moving AVIF": video("libsvtav1", "avif"),
    "a moving WEBP": video("libwebp_anim", "webp", pix_fmt="bgra"),
    "MXF": video("mpeg2video", "mxf", rate=25),
    "NUT": video("ffv1", "nut"),
    "bare H.264": video("libx264", "h264"),
    "YUV4MPEG": video("wrapped_avframe", "yuv4mpegpipe"),
}
"""Videos of unsupported formats."""
SAMPLES = {**KEPT, **REMUXED, **HEARD_ANEW, **SEEN_ANEW, **TURNED}


def way_of(name: str) -> Way:
    """Return the way in which a sample video is posted."""
    if not SAMPLES[name].why:
        return Way.AS_IT_IS
    return Way.REMUXED if name in REMUXED else Way.REENCODED
