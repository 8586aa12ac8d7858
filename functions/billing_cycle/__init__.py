"""What happens by itself: a tick finds what is due, a worker does it."""
