"""Sensors under load: real Mosquitto, publishers as processes, a whole hub and worker, other consumers beside it."""
