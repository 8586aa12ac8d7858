"""An x402 facilitator for the laptop: real signatures, a chain that is a dictionary.

It shares no code with the platform, so that the two check each other's reading of the protocol.
"""
