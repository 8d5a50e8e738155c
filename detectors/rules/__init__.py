"""When something seen or measured is a problem. Pure: values and `now` in, state and verdict out."""
