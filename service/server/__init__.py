"""What stands between a socket and a route: limits, admission, deadlines, and the end of the process."""
