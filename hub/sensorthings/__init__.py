"""OGC SensorThings API 1.1, the read side: what the hub knows of sensors, as other systems read it (18-088).

A sensor of the registry is a Thing, one series of its readings a Datastream, a profile a Sensor (the procedure).
"""
