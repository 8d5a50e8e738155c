"""The rendered world: procedural street views, composed at run time into pictures with known content."""
