"""Backups: made beside the running service, proved by opening them, and restored.

`archive` is what lies on the disk, `making` and `restoring` go in and out of it, `daily` makes one
a day while the service runs. They stand on the rows and the storage, and know no chat network.
"""
