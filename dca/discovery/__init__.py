"""Which addresses hold devices: ranges -> sweep -> identify -> registry, and one visit to one device."""
