#!/usr/bin/env bash
# PyAV 18.1.0: writing with `movflags=faststart` to a file object (io.BytesIO) works until the container is
# closed. Then `close()` raises FileNotFoundError for a file named "<none>". The bytes written so far have
# no index (moov), so no player can play them. The cause: the second pass of faststart opens the output
# again by its name.
#
# Guess before running: the index stands at the beginning, or opening the file refuses the option.
# Seen: every frame is encoded and muxed without an error; close() raises; boxes ftyp, free, mdat.
# Without the option the same code writes a complete file.
# Who is affected: a program that makes an MP4 for the web in memory. It does all the work and then loses
# the result.
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
