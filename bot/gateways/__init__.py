"""Video gateways. One that speaks /v1/videos needs no code here, only a table in the config.

`net` brings an `Answer`. A `Reading` finds all that it says, once: by `envelopes` the job's state
and ids and the video's addresses, by itself codes and messages. `table` tells what those mean;
`creations` and `polls` decide what follows for the job and its bill; `glances` reads the answer
that comes nearly always. Names of envelopes stand in `envelopes.toml`, words of vendors in
`answers.toml`.
"""
