"""Pictures in, videos out: decoding and encoding in worker processes, files under our own keys."""
