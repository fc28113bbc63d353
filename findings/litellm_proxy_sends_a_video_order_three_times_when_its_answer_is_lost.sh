#!/usr/bin/env bash
# LiteLLM proxy 1.108.7, configured with one model and nothing else: if the upstream reads the whole body
# of POST /v1/videos and closes the connection without an answer, the proxy sends the order THREE times,
# without an idempotency key, and answers the client once with 500. The router's retries (2, from the
# OpenAI SDK) apply to video orders as to chats. The client can't see them.
#
# Guess before running: one POST; a video is paid per order, so video routes are not retried.
# Seen: 3 POSTs upstream for 1 POST of the client; after a 500 or a 429 of the upstream too.
# With `router_settings: {num_retries: 0}` there is 1 POST.
# Who is affected: a reseller of videos who uses this proxy. The vendor may charge three videos for one
# order, and none of them can be fetched.
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
        with open("orders", "a") as orders:
            orders.write("order\n")
        self.close_connection = True  # the order was read, and is never answered

    def do_GET(self):
        self.answer(b"{}")

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
status=$(curl -s -o answer -w '%{http_code}' -H "$key" -H 'Content-Type: application/json' "$videos" \
    -d '{"model":"sora-2","prompt":"a cat","seconds":"4"}')
orders=$(wc -l < orders)
echo "answered $status; orders upstream: $orders"
[ "$status $orders" = "500 3" ]
