"""The face for other machines' programs: a socket that speaks the protocol, and HTTP for health."""
