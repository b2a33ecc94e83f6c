import cython

from . cimport capi
from . cimport cdicts
from . cimport cjson
from . cimport ctext
from .plan cimport SessionCookies

cdef object _compare_digest
cdef object _scan
cdef object _http_date
cdef dict _encoders
cdef object Headers
cdef object timedelta
cdef object datetime
cdef object UTC
cdef object zlib


@cython.final
cdef class Proof:
    cdef tuple _classes
    cdef list _readers
    cdef tuple _facts
    cdef unsigned long long _versions
    cdef list _globals

    @cython.locals(facts=list)
    cdef tuple _read(self)
    @cython.locals(
        total="unsigned long long",
        version="unsigned int",
    )
    cpdef bint holds(self) except -1


@cython.final
cdef class CookieSigner:
    cdef list _macs
    cdef object _get_timestamp
    cdef tuple _now

    cdef str _signature(self, tuple mac, bytes value)
    @cython.locals(known=tuple)
    cdef tuple _time(self)
    cpdef str sign(self, str payload)
    @cython.locals(
        stop=Py_ssize_t, dot=Py_ssize_t, value=bytes, stamp=str, mac=tuple, now=tuple
    )
    cpdef str payload(self, str signed, object max_age)


@cython.locals(compressed=bytes)
cpdef str to_payload(bytes data)
@cython.locals(data=bytes)
cpdef str from_payload(str payload)
cpdef bint is_untagged(object value, dict tags, int depth) except -1
cpdef object load_untagged(str text)
@cython.locals(listed=list)
cpdef vary_on_cookie(object response)


@cython.final
cdef class _Keys:
    cdef object secret
    cdef tuple fallbacks
    cdef CookieSigner signer


cdef class CookieSessions(SessionCookies):
    cdef object _interface
    cdef object _interface_class
    cdef dict _own
    cdef object _session_class
    cdef object _serializer
    cdef list _order
    cdef dict _tags
    cdef object _make_signer
    cdef tuple _provider_classes
    cdef tuple _stock_response
    cdef object _response_attributes
    cdef Proof _proof
    cdef _Keys _keys
    cdef tuple _lifetime
    cdef tuple _frames
    cdef unsigned int _response_version

    @cython.locals(keys=_Keys, listed=list)
    cdef CookieSigner _signer(self, object config)
    cdef bint _holds(self) except -1
    cdef bint _has_stock_tags(self) except -1
    @cython.locals(signer=CookieSigner, known=tuple, payload=str)
    cpdef object open(self, object app, object environ, object request)
    @cython.locals(text=str)
    cdef object _load(self, object app, str payload)
    @cython.locals(own=dict)
    cdef bint _provider_is_stock(self, object provider) except -1
    @cython.locals(data=bytes)
    cdef bytes _dump(self, object app, object session)
    @cython.locals(stop=Py_ssize_t, value=str, text=str)
    cpdef bint owes_nothing(self, object app, object environ) except -1
    @cython.locals(
        signer=CookieSigner,
        permanent=bint,
        settings=tuple,
        frame=tuple,
        data=bytes,
        value=str,
        header=str,
    )
    cpdef bint save(self, object app, object session, object response) except -1
    @cython.locals(frames=tuple)
    cdef tuple _frame_of(self, tuple settings, bint expires)
    @cython.locals(own=dict, version="unsigned int", found=tuple)
    cdef bint _response_is_stock(self, object response) except -1
