"""What every service is built from: knows no business word."""

import sys

# Alembic's templates would load colours for their error pages: 7 MiB of lexers for life, in the embedded hub as well.
sys.modules.setdefault("mako.ext.pygmentplugin", None)  # type: ignore[arg-type] # None: it cannot be imported
