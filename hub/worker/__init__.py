"""The worker: a shard of cameras and sensors in its own process. `process` is the whole, the other files its parts.

spool      the durable memory: what was found and read stays until the hub has it
uplink     the line to the hub
sensing    the ear: broker messages to readings, through the rules, to the disk
hearing    what was last heard of each device, and whether more of it may come in
handover   messages for the devices of another worker, where workers share the broker's
rechecking the second look after a department's answer
newest     the hand-over in which the newest picture wins
"""
