import cython

from . cimport capi
from . cimport cdicts
from . cimport cjson
from . cimport context
from . cimport response as responses
from .context cimport Context
from .plan cimport JSONText

cdef object _scan
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


cdef class ProviderText(JSONText):
    cdef object _class
    cdef tuple _methods
    cdef Settings _settings

    @cython.locals(settings=Settings, version="unsigned int", own=dict, body=bytes)
    cpdef tuple respond(self, object provider, object debug, object obj)


@cython.locals(body=bytes)
cdef object response_of(Context ctx, object value)
