"""How documents look on the wire: one package per dialect; none knows a transport or a case."""
