"""What who runs the service needs: backups, checks, and what is to be watched."""
