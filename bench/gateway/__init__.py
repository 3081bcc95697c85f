"""What a gateway costs, side by side: `python -m bench.gateway`."""
