"""What an operator sees: logs now; metrics and traces join them here."""
