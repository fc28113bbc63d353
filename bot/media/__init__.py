"""Prepares pictures, sounds and videos in worker processes, and stores files under our own keys."""
