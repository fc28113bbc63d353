#!/usr/bin/env bash
# Babel 2.18.0: `read_po` reads a .po file with the same msgid twice without an error or a warning, and
# keeps the FIRST translation. It fills its catalog by item assignment (`catalog[id] = message`); in a
# dictionary the last assignment would win. GNU msgfmt refuses the same file.
#
# Guess before running: the last translation wins, as with any mapping; or `abort_invalid=True` raises.
# Seen: "first" both times, nothing raised, nothing in `message.errors`, no warning.
# Who is affected: two branches that add a sentence under one id. After the merge the later sentence is
# never shown. If only the first sentence has a placeholder, showing it to people raises KeyError.
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
