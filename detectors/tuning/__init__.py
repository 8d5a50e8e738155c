"""The engineers' bench: build a training set, fine-tune, measure, choose thresholds, export. Needs the extra `tune`."""
