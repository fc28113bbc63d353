#!/usr/bin/env bash
# LiteLLM proxy 1.108.7: GET /v1/videos/{id}/content drops the client's Range header. It asks its
# upstream for the whole video, although the upstream supports ranges, and answers 200 with all bytes.
#
# Guess before running: the proxy passes the header on, and 206 comes back.
# Seen: 200 with 100 bytes in answer to `Range: bytes=90-99`; no Range header reaches the upstream.
# Who is affected: a client that resumes a broken download by Range. If it appends the body, as after a
# 206, its file has the beginning of the video once more in the middle.
set -euo pipefail
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q 'litellm[proxy]==1.108.7'
cd "$place"

cat > proxy.yaml <<'YAML'
model_list:
  - model_name: sora-2
    litellm_params: {model: openai/sora-2, api_key: upstream-key, api_base: "http://127.0.0.1:8871/v1"}
general_settings: {master_key: sk-Qm7vT2xKc93LwZr8HdPf}
YAML

cat > upstream.py <<'PY'
import http.server, json, time

class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(json.dumps({"id": "video_1", "object": "video", "model": "sora-2", "seconds": "4",
            "status": "queued", "progress": 0, "created_at": 1, "size": "720x1280"}).encode())

    def do_GET(self):
        open("asked", "w").write(str(self.headers.get("Range")))
        self.answer(bytes(100), "video/mp4")

    def answer(self, body, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", 8871), Upstream).serve_forever()
PY
python3 upstream.py &
LITELLM_LOCAL_MODEL_COST_MAP=True venv/bin/litellm --config proxy.yaml --host 127.0.0.1 --port 8872 >log 2>&1 &
for _ in $(seq 120); do curl -sf -o answer http://127.0.0.1:8872/health/liveliness && break; sleep 1; done

key='Authorization: Bearer sk-Qm7vT2xKc93LwZr8HdPf'
videos=http://127.0.0.1:8872/v1/videos
id=$(curl -sf -H "$key" -H 'Content-Type: application/json' "$videos" \
    -d '{"model":"sora-2","prompt":"a cat","seconds":"4"}' |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
status=$(curl -s -o film -w '%{http_code}' -H "$key" -H 'Range: bytes=90-99' "$videos/$id/content")
echo "answered $status with $(wc -c < film) bytes; the upstream was asked for a range: $(cat asked)"
[ "$status $(wc -c < film) $(cat asked)" = "200 100 None" ]
