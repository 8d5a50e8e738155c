"""A made-up district with the real counts of a whole one, from a seed; for trials and benchmarks.

1 district, 6 streets, 36 communities, 234 base grids, 438 building groups, 48 handling units, 2,000 cameras, 500
sensors; 364 grid members and 667 building heads. Names are invented, phone numbers begin with 100, which nobody has.
"""

from .areas import Areas
from .devices import Placed, cameras, sensors
from .files import write
from .people import Person, persons

__all__ = ["Areas", "Person", "Placed", "cameras", "persons", "sensors", "write"]
