"""Pictures: strips, codecs, stand-ins."""
