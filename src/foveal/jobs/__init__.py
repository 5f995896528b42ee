"""Background work: the worker claims jobs, child processes do them."""
