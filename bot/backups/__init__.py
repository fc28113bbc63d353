"""Backups: make them beside the running service, verify them by opening them, and restore them.

`archive` is the form on disk; `making` writes it and `restoring` reads it; `daily` makes a backup
each night while the service runs. These modules use the database and the storage, and know no
network.
"""
