"""Everything FFmpeg does for us, and the only importer of `av`.

coding.py     how a stream is coded, one coded picture, what lies in an Annex-B access unit
opening.py    open an input, read its packets, say why it failed
decoding.py   one coded keyframe to one picture, by pooled decoders that refuse damage
picture.py    a decoded picture, converted only to what is asked of it
jpeg.py       the same of a JPEG snapshot
remuxing.py   packets to MP4
relaying.py   packets for who passes them on as they are
strip.py      a few pictures of a clip, for browsers that cannot play it
encoding.py   pictures to a live stream, for simulated cameras
"""

from .coding import Coding, Packet, has_parameter_sets, nal_types
from .decoding import DECODERS, SKIP_LOOP_FILTER, Decoders
from .encoding import Encoder
from .jpeg import is_cut_short, jpeg_picture
from .opening import LIVE_OPTIONS, Stream, open_stream, rtsp_options
from .relaying import relayed
from .remuxing import remux
from .strip import picture_strip

__all__ = [
    "DECODERS",
    "LIVE_OPTIONS",
    "SKIP_LOOP_FILTER",
    "Coding",
    "Decoders",
    "Encoder",
    "Packet",
    "Stream",
    "has_parameter_sets",
    "is_cut_short",
    "jpeg_picture",
    "nal_types",
    "open_stream",
    "picture_strip",
    "relayed",
    "remux",
    "rtsp_options",
]
