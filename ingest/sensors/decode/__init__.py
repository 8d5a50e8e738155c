"""Payload bytes to readings: one pure function a format."""
