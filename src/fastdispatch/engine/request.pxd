cimport cython


cdef object _UNREAD
cdef object _new_dict
cdef object _update_dict
cdef dict _KEYS
cdef Py_ssize_t _KEYS_MAX
cdef Py_ssize_t _BODY_MAX
cdef str _URLENCODED
cdef dict _ASCII
cdef object _current
cdef object _STOCK_STREAM
cdef object _STOCK_PARSER
cdef object _STOCK_PARSING


@cython.locals(key=str)
cdef str environ_key(str name)

@cython.locals(known=dict)
cdef object lookup(object environ, str key)

cdef object decode_wsgi(object environ, str key)
cdef object not_latin1(str key)
cdef object multidict(dict lists)

@cython.locals(values=list)
cdef int add(dict lists, str name, str value) except -1

@cython.locals(parts=list, result=list, index=Py_ssize_t, part=str)
cdef str unquoted(str piece)

@cython.locals(lists=dict, quoted=bint, pair=str, at=Py_ssize_t, name=str)
cdef object parse_pairs(str text)

@cython.locals(lists=dict, pair=str, at=Py_ssize_t)
cdef object parse_cookies(str text)

@cython.locals(text=str)
cdef Py_ssize_t plain_length(object value) except -2

cpdef object active_app()


cdef class HeadersKernel:
    cdef public object environ

    @cython.locals(known=dict)
    cdef object _item(self, str key)


cdef object _next_headers(HeadersKernel headers)
cdef object _next(RequestKernel request)


cdef class RequestKernel:
    cdef public object environ
    cdef public object shallow
    cdef public object url_rule
    cdef public object view_args
    cdef public object routing_exception
    cdef public object _cached_data
    cdef public object _cached_json
    cdef public object _max_content_length
    cdef public object _max_form_memory_size
    cdef public object _max_form_parts
    cdef object _raw_method
    cdef object _raw_scheme
    cdef object _raw_server
    cdef object _raw_root_path
    cdef object _raw_path
    cdef object _raw_query_string
    cdef object _raw_headers
    cdef object _raw_remote_addr
    cdef object _raw_args
    cdef object _raw_cookies
    cdef object _raw_mimetype
    cdef object _raw_content_length
    cdef object _raw_json_module
    cdef Py_ssize_t _drained

    cdef object _parse_args(self)
    cdef object _parse_cookies(self)

    @cython.locals(values=dict, length=Py_ssize_t)
    cdef object _read_body(self)

    cdef object _read_exactly(self, object raw, Py_ssize_t length)

    cdef bint _has_plain_form(self, dict values) except -1
    cdef object _load_plain_form(self, dict values)
