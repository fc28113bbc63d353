"""The rows of a backup as tests of restores make and read them."""

AS_RESTORED = {
    "queued": "unconfirmed",
    "submitting": "unconfirmed",
    "in_progress": "in_progress",
    "completed": "completed",
    "delivered": "delivered",
    "failed": "failed",
    "cancelled": "cancelled",
    "unconfirmed": "unconfirmed",
}
