"""What documents are cleaned of.

One rule: **file readers hand over texts as the file has them, and `documents` cleans them, once** (`blocks.clean_blocks` the
blocks, `text.clean_text` the fields). So a new reader need not know what is to be cleaned.

Two things come before that, since they cannot wait. A table's cells are cleaned by `tables.table_rows`, which has to see the
empty ones before it joins them. And where a reader has to look at a text (is there any, is this line the title, which stretches
of the page are the same) it looks at `clean_text(text)`; what it hands over stays as it was.
"""
