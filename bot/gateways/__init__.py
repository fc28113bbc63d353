"""Video gateways. One that speaks /v1/videos needs no code here, only a table in the config."""
