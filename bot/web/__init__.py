"""The web server: signed links to videos and pictures, and health. Other routes mount here too."""
