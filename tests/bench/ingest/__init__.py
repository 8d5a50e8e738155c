"""Ways of looking at many cameras, measured side by side: gridhub's and its peers', on one server, in one run."""
