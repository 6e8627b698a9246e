"""Reports of a conversion: JSON record, HTML page, terminal summary and comparison."""
