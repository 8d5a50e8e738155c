"""The world in: cameras looked at, sensors listened to. Imports nothing else of this project."""
