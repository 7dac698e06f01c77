"""What the commands of `jmgraph` do."""
