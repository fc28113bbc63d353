"""Clients of video gateways. A gateway that speaks /v1/videos needs only a table in the config.

`net` reads an HTTP response as an `Answer`. A `Reading` extracts everything from it once: state,
ids and links by `envelopes`, codes and messages by itself. `table` says what codes and messages
mean; `creations` and `polls` decide what follows for the job and its bill; `glances` reads the
most common poll response fast. `envelopes.toml` has the field names that gateways use,
`answers.toml` the codes and messages of vendors.
"""
