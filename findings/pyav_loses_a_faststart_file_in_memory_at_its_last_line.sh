#!/usr/bin/env bash
# PyAV 18.1.0: `movflags=faststart` into a file object (io.BytesIO) works until the container is closed.
# Then it raises FileNotFoundError for a file called "<none>", and the bytes that are there have no index
# (moov), so nothing can play them. The second pass of faststart opens the output once more by its name.
#
# Guess before running: the index stands in front, or the option is refused when the file is opened.
# Seen: every frame is encoded and muxed without an error; close() raises; boxes ftyp, free, mdat.
# Without the option the same lines give a whole file.
# Who it hurts: an MP4 for the web that is made in memory. All of the work is done before it is lost.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q av==18.1.0

"$place/venv/bin/python" - <<'PY'
import io, struct
import av

av.logging.set_level(av.logging.PANIC)


def boxes(data):
    place, names = 0, []
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        names.append(name.decode("latin-1"))
        if size < 8:
            break
        place += size
    return names


def made(options):
    file = io.BytesIO()
    container = av.open(file, "w", format="mp4", options=options)
    stream = container.add_stream("libx264", rate=30)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for number in range(10):
        frame = av.VideoFrame(64, 48, "yuv420p")
        frame.pts = number
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
    try:
        container.close()
    except OSError as error:
        return type(error).__name__, error.filename, boxes(file.getvalue())
    return "whole", None, boxes(file.getvalue())


fast, plain = made({"movflags": "faststart"}), made({})
print("faststart:", fast)
print("without:  ", plain)
is_same = fast[0] == "FileNotFoundError" and "moov" not in fast[2]
raise SystemExit(0 if is_same and plain[0] == "whole" and "moov" in plain[2] else 1)
PY
