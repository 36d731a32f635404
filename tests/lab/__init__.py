"""The laboratory: real mail servers and clients, whose captured sessions the decoder is held against."""
