"""The web server: links to videos today; webhooks and the room mount here too."""
