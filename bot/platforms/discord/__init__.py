"""Discord: `client` is the line, `commands` what people do, `messages` how it looks."""
