#!/usr/bin/env bash
# Babel 2.18.0: a .po file with the same msgid twice is read without an error or a warning, and the
# FIRST translation is kept. The catalogue is filled by item assignment (`catalog[id] = message`),
# which reads like a dictionary's, where the last would win. GNU msgfmt refuses the same file.
#
# Guess before running: the last one wins, as with any mapping; or `abort_invalid=True` raises.
# Seen: "first" both times, nothing raised, nothing in `message.errors`, no warning.
# Who it hurts: two branches add a sentence under one id; after the merge the later sentence is never
# shown, and a placeholder that only the first one has raises KeyError for people.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q babel==2.18.0

"$place/venv/bin/python" -W error - <<'PY'
import io
from babel.messages.pofile import read_po

PO = b'''msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "greeting"
msgstr "first"

msgid "greeting"
msgstr "last"
'''
lax = read_po(io.BytesIO(PO))
strict = read_po(io.BytesIO(PO), abort_invalid=True)
seen = [lax["greeting"].string, strict["greeting"].string, len(lax), list(lax.check())]
print("read:", seen)
plain = {}
plain["greeting"] = "first"
plain["greeting"] = "last"
print("a dictionary:", plain["greeting"])
raise SystemExit(0 if seen == ["first", "first", 1, []] else 1)
PY
