cdef object _STOCK_STORAGE
cdef object _new_dict
cdef object _update_dict
cdef dict _KEYS
cdef Py_ssize_t _KEYS_MAX


cdef str environ_key(str name)
cdef str decode_wsgi(object environ, str key)
cdef object multidict(dict lists)


cdef class HeadersKernel:
    cdef public object environ


cdef class RequestKernel:
    cdef public object environ
    cdef public object shallow
    cdef public object url_rule
    cdef public object view_args
    cdef public object routing_exception
    cdef object _raw_method
    cdef object _raw_scheme
    cdef object _raw_server
    cdef object _raw_root_path
    cdef object _raw_path
    cdef object _raw_query_string
    cdef object _raw_headers
    cdef object _raw_remote_addr
