"""Questions become sourced results, over the command line, HTTP and a web page."""
