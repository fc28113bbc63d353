"""The Discord platform.

`client` sends posts, `commands` handles what people do, `messages` draws replies. `commands` builds
`slash`, `menu`, `lists` and `mentions`, which pass orders and commands to `intake`.
"""
