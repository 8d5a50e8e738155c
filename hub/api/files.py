"""Files that engineers bring in: read once it is clear that they may."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from ..domain.role import Right
from ..errors import Invalid
from ..house import Actor
from .access import needs
from .uploads import read_upload


async def edited_file(request: Request, _actor: Annotated[Actor, Depends(needs(Right.EDIT_RULES))]) -> bytes:
    """The part `file` of a multipart body, of somebody who may edit rules. Raises Invalid, TooLarge."""
    content = (await read_upload(request)).by_name().get("file")
    if content is None:
        raise Invalid("file", "", "a multipart body with a part `file`")
    return content
