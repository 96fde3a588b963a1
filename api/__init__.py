"""How people and programs reach the engine: HTTP and the terminal."""
