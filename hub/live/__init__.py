"""Live view: who looks at a camera now, why, and how its pictures get there.

views.py      a person's view of a camera: opened for a reason, kept while somebody looks, written into the audit
upstream.py   one connection to a camera for all who look at it
peer.py       packets to a browser over WebRTC, passed through as they are; the only importer of aiortc
"""
