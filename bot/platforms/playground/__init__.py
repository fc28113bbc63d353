"""The playground: a chat room in the browser, for a person at this machine.

`client` sends posts, `commands` handles what people do, `messages` draws replies. `room` is the
chat network itself, with its own history; `routes` has the HTTP routes and the access checks.
"""
