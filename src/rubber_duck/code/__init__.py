"""What RubberDuck knows of source text: parsing, the one walk, symbols, references, imports, outlines."""
