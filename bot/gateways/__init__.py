"""Video gateways. One that speaks /v1/videos needs no code here, only a table in the config.

How an answer becomes an outcome: `sending` and `downloads` bring an `Answer`. A `Reading` finds all
that it says, once: `envelopes` makes tables of its body, and `places`, `links` and `said` pick from
them the job's state and ids, the video's addresses, and codes and messages. `meanings` tells what
those mean; `creations` and `looks` decide what follows for the job and its bill. Names of envelopes
stand in `envelopes.toml`, words of vendors in `answers.toml`.
"""
