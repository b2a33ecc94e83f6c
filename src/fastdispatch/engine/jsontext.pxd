import cython

from . cimport capi
from . cimport cjson
from . cimport context
from . cimport response as responses
from .context cimport Context
from .plan cimport Plan

cdef dict _json_names
cdef dict _encoder_names
cdef object _steps_of
cdef object _stock_dumps
cdef tuple _stock_steps
cdef object _stock_make_encoder
cdef object _stock_escape
cdef object _stock_escape_ascii
cdef object JSONEncoder
cdef unsigned int _encoder_version
cdef dict _decoder_own
cdef object _reading_of
cdef object _stock_loads
cdef tuple _stock_reading
cdef object _stock_decoder
cdef object _scan
cdef object JSONDecoder
cdef unsigned int _decoder_version
cdef list _settings
cdef bint _writes


@cython.locals(version="unsigned int")
cpdef bint dumps_is_stock() except -1


@cython.locals(version="unsigned int")
cdef bint loads_is_stock() except -1
cpdef object read_json(object s)


cdef class Settings:
    cdef unsigned int version
    cdef bint stock
    cdef object compact
    cdef object ensure_ascii
    cdef object sort_keys
    cdef object mimetype


@cython.locals(settings=Settings, version="unsigned int", own=dict, body=bytes)
cpdef tuple respond(object provider, tuple stock, object debug, object obj)

@cython.locals(plan=Plan, made=tuple)
cdef bytes body_of(Context ctx, object rv)
@cython.locals(body=bytes)
cdef object response_of(Context ctx, object value)
