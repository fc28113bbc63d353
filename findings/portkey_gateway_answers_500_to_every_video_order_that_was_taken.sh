#!/usr/bin/env bash
# Portkey AI gateway 1.15.2 (npm, Node 20): POST /v1/videos reaches the upstream once, and the upstream
# accepts the order with 200. The client gets 500 "Something went wrong", without the id. A refusal of the
# upstream (429) reaches the client unchanged. GET of the status and of the list behave in the same way;
# chat completions work. The log says "TypeError: immutable": on routes that the gateway passes through,
# it adds headers to the response object of fetch, which can't be changed.
#
# Guess before running: the upstream's answer reaches the client, as for a chat completion; refusals too.
# Seen: 500 for the accepted order, 429 for the refused order, 200 for a chat; 2 POSTs upstream.
# Who is affected: a client that takes a 500 as "nothing happened" orders again and is charged each time.
# It never gets an id to poll the video with.
set -euo pipefail
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit --ignore-scripts --save-exact \
    @portkey-ai/gateway@1.15.2 hono@4.13.19 @hono/node-server@1.19.19 @hono/node-ws@1.3.1

cat > upstream.py <<'PY'
import http.server, json

class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open("orders", "a") as orders:
            orders.write(self.path + "\n")
        if order.get("prompt") == "too many":
            self.answer(429, {"error": {"message": "slow down"}})
        else:
            self.answer(200, {"id": "video_1", "object": "video", "status": "queued"})

    def answer(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", 8873), Upstream).serve_forever()
PY
python3 upstream.py &
node node_modules/@portkey-ai/gateway/build/start-server.js --port=8874 --headless >log 2>&1 &
for _ in $(seq 60); do curl -sf -o answer http://127.0.0.1:8874/ && break; sleep 1; done

post() {
    curl -s -o answer -w '%{http_code}' -H 'Authorization: Bearer sk-any' -H 'Content-Type: application/json' \
        -H 'x-portkey-provider: openai' -H 'x-portkey-custom-host: http://127.0.0.1:8873/v1' \
        "http://127.0.0.1:8874/v1/$1" -d "$2"
}
taken=$(post videos '{"model":"sora-2","prompt":"a cat"}')
words=$(cat answer)
refused=$(post videos '{"model":"sora-2","prompt":"too many"}')
chat=$(post chat/completions '{"model":"sora-2","messages":[]}')
orders=$(grep -cx /v1/videos orders)
echo "taken: $taken ($words); refused: $refused; chat: $chat; orders that arrived: $orders"
grep -om1 'TypeError: immutable' log
[ "$taken $refused $chat $orders" = "500 429 200 2" ]
