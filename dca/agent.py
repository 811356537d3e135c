"""The running agent: builds the parts, runs them, stops them in order."""
