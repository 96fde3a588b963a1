"""Who may call: API keys, what they allow, and the limits they are under."""
