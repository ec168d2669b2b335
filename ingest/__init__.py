"""Files and folders become documents, pages and passages."""
