import cython

from . cimport capi
from . cimport cdicts
from . cimport cjson
from . cimport context
from . cimport response as responses
from .context cimport Context
from .plan cimport Plan

cdef object _scan
cdef list _settings
cdef bint _writes


@cython.final
cdef class _Names:
    cdef dict table
    cdef tuple names
    cdef bytes places
    cdef tuple values
    cdef object same


@cython.final
cdef class _Stock:
    cdef _Names _first
    cdef _Names _second
    cdef object _class
    cdef object _steps_of
    cdef tuple _steps
    cdef unsigned int _version

    @cython.locals(first=_Names, second=_Names, kept=bint, version="unsigned int")
    cdef bint untouched(self) except -1


cdef _Stock _writing
cdef _Stock _reading

cpdef bint dumps_is_stock() except -1
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

cdef bytes body_of(Context ctx, object rv)
@cython.locals(plan=Plan, made=tuple)
cdef bytes body_by(Context ctx, object provider, object rv)
@cython.locals(body=bytes)
cdef object response_of(Context ctx, object value)
