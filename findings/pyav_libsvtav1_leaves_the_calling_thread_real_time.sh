#!/usr/bin/env bash
# PyAV 18.1.0 with its bundled SVT-AV1: opening the encoder "libsvtav1" makes the calling thread a
# real-time thread (SCHED_FIFO, priority 99), and closing the video does not undo that. Threads and
# processes that this thread starts later inherit the priority. It happens if the process may raise its
# priority (root, or CAP_SYS_NICE), without any option, return value or log message.
#
# Guess before running: an encoder may raise its own threads while it runs; the caller's thread stays as
# it is.
# Seen: before SCHED_OTHER 0; opened SCHED_FIFO 99; closed SCHED_FIFO 99; a child process SCHED_FIFO 99.
# libx264 and libvpx-vp9 do not change the caller's thread.
# Who is affected: a worker that made one AV1 video and continues with other work. It no longer shares its
# core: on two cores, two such workers kept every other process waiting for half a minute at a time.
set -euo pipefail
if [ "$(id -u)" != 0 ]; then echo "needs root: a normal user may not raise a thread's priority"; exit 2; fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q av==18.1.0

"$place/venv/bin/python" - <<'PY'
import io, os, subprocess, sys
import av

av.logging.set_level(av.logging.PANIC)
NAMES = {os.SCHED_OTHER: "SCHED_OTHER", os.SCHED_FIFO: "SCHED_FIFO", os.SCHED_RR: "SCHED_RR"}
ASK = "import os; print(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)"


def now():
    return NAMES[os.sched_getscheduler(0)], os.sched_getparam(0).sched_priority


def film(codec):
    seen = [now()]
    with av.open(io.BytesIO(), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.open()
        seen.append(now())
        for number in range(5):
            frame = av.VideoFrame(128, 96, "yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    seen.append(now())
    return seen


others = {codec: film(codec) for codec in ("libx264", "libvpx-vp9")}
for codec, seen in others.items():
    print(codec, *seen)
made = film("libsvtav1")
print("libsvtav1", *made)
policy, priority = subprocess.check_output([sys.executable, "-c", ASK], text=True).split()
child = NAMES[int(policy)], int(priority)
print("a child process", child)
plain, raised = ("SCHED_OTHER", 0), ("SCHED_FIFO", 99)
is_same = all(seen == [plain] * 3 for seen in others.values())
raise SystemExit(0 if is_same and made == [plain, raised, raised] and child == raised else 1)
PY
