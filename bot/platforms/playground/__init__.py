"""The playground: a chat room in the browser, for whoever sits at this machine.

`client` is the line, `commands` what people do, `messages` how it looks; `room` is the chat network
itself, which keeps its own history, and `doors` lets people in.
"""
