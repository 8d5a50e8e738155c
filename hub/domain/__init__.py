"""The rules of alerts, cases, deadlines, grid and codes: pure, they take values and `now`."""
