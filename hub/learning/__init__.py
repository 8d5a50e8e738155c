"""What the staff's verdicts teach: precision, thresholds, shadows of models, promotions, data sets, drift."""
