"""The laboratory: real mail servers and clients, and the decoder held against their sessions."""
