"""An imitation of the JM site with made-up, neutral comics."""
