"""Documents from the web: fetched politely into a folder of files, which builds read like any other."""
