cimport cython

from . cimport capi
from . cimport cdicts
from . cimport ctext


cdef object WerkzeugMultiDict
cdef object FormDataParser
cdef object _UNREAD
cdef object _NO_JSON
cdef tuple _PARTS
cdef dict _KEYS
cdef dict _MIMETYPES
cdef Py_ssize_t _KNOWN_MAX
cdef Py_ssize_t _KNOWN_LENGTH
cdef Py_ssize_t _BODY_MAX
cdef str _URLENCODED
cdef object _current
cdef object _HEADERS
cdef object _MULTI_DICT
cdef object _STOCK_STREAM
cdef object _STOCK_PARSER
cdef object _STOCK_PARSING
cdef object _STOCK_WANT


@cython.locals(key=str)
cdef str environ_key(str name)

@cython.locals(known=dict)
cdef object lookup(object environ, str key)

cdef str text_of(object environ, str key)

@cython.locals(text=str)
cdef str decode_wsgi(object environ, str key)

@cython.locals(text=str)
cdef str read_root_path(object environ)

@cython.locals(text=str)
cdef str read_path(object environ)

cdef object not_latin1(str key)

@cython.locals(text=str)
cdef object encode_query(object environ)

cdef object parse_pairs(str text, object storage)
cdef object parse_cookies(str text, object storage)
cdef bint is_known_storage(object storage)

@cython.locals(mimetype=str)
cdef str parse_mimetype(str content_type)

@cython.locals(text=str)
cdef Py_ssize_t plain_length(object value) except -2

cpdef object active_app()

@cython.locals(headers=HeadersKernel)
cdef object make_headers(object environ)


cdef class HeadersKernel:
    cdef public object environ

    @cython.locals(known=dict)
    cdef object _item(self, str key)


cdef object _next_headers(HeadersKernel headers)
cdef object _next(RequestKernel request)


cdef class MultiDictKernel(dict):
    pass


cdef object _next_dict(MultiDictKernel multi)


cdef class RequestKernel:
    cdef object _environ
    cdef bint _settled
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

    cdef object _settle(self)
    @cython.locals(known=bytes)
    cdef object _parse_args(self)

    cdef object _parse_cookies(self)

    @cython.locals(values=dict, length=Py_ssize_t)
    cdef object _read_body(self)

    cdef object _read_exactly(self, object raw, Py_ssize_t length)

    cdef bint _has_plain_form(self, dict values) except -1
    cdef object _load_plain_form(self, dict values)
