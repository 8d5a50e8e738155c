"""The demo: a small district whose streets and sensors are simulated; what the hub finds there, it finds by itself."""
