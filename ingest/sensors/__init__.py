"""How readings arrive: one file a transport, `decode/` one pure function a payload format."""
