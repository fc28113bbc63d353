"""The web server: links to videos and pictures today; webhooks and the room mount here too."""
