"""What the product does: plain functions, the session first, then things, then values. They flush, never commit."""
