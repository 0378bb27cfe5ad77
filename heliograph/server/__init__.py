"""What the process answers beside the pages: the lossless recorder's pieces, and the headers of every answer."""
