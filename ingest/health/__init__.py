"""How a camera is, told from its pictures and failures: pure, takes frames, errors, facts and `now`.

state.py      the states, in the order in which they win, and when each is entered and left
measures.py   what is measured on the grey thumbnail
still.py      frozen: a picture that stands still although this camera's pictures never did
view.py       what a camera is used to showing in one kind of light; kept over a restart
camera.py     Health: all of it for one camera, as cheap as the picture is unsurprising
"""

from .camera import Health
from .state import CameraState, ClockOff, Fact, Limits, State, Via

__all__ = ["CameraState", "ClockOff", "Fact", "Health", "Limits", "State", "Via"]
