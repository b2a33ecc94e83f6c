"""What a request costs on fastdispatch and its peers: ``python -m bench --help``."""
