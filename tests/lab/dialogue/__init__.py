"""What was exchanged in a recorded session, read with both sides whole and in lockstep.

That makes it simple: the reply to each command is at hand, nothing is cut, and the service is
known. It shares nothing with the decoder.
"""
