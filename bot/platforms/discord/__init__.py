"""Discord: `client` is the line, `commands` what people do, `messages` how it looks.

`commands` puts the rooms behind it together: `slash`, `menu` and `mentions`, which all hand what
they hear to `intake`.
"""
