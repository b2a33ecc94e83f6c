"""What a request costs on fastdispatch and on its peers; see ``python -m bench --help``."""
