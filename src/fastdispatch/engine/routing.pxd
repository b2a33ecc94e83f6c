import cython

from . cimport capi
from . cimport cdicts
from . cimport ctext

cdef tuple _WATCHED

cdef int _UNSURE
cdef int _MATCHED
cdef int _NOT_FOUND
cdef int _NOT_ALLOWED
cdef int _NEXT

cdef int _TEXT
cdef int _DIGITS
cdef int _DECIMAL
cdef int _CHOICE
cdef int _PATH
cdef int _PATTERN
cdef int _OPAQUE

cdef int _INT
cdef int _FLOAT
cdef int _UUID

cdef object _INVALID
cdef frozenset _METHODS


cdef class Routed:
    cdef public Route route
    cdef public dict args
    cdef public set allowed


cdef class Route:
    cdef readonly object rule
    cdef readonly object endpoint
    cdef readonly list blueprints
    cdef readonly tuple scopes
    cdef readonly bint has_args
    cdef readonly set methods
    cdef bint strict
    cdef bint sure
    cdef tuple names
    cdef tuple conversions
    cdef dict defaults
    cdef tuple redirecting
    cdef str name
    cdef bint converts

    cdef object _read(self, object rule, bint redirect_defaults)


cdef class _Conversion:
    cdef int kind
    cdef Py_ssize_t digits
    cdef object low
    cdef object high
    cdef bint plain_int

    cdef object convert(self, str text)


cdef class _State:
    cdef dict static
    cdef list edges
    cdef list leaves
    cdef list routes
    cdef list trailing


cdef class _Edge:
    cdef _State state
    cdef int kind
    cdef bint final
    cdef Py_ssize_t low
    cdef Py_ssize_t high
    cdef bint minus
    cdef frozenset choices
    cdef object match
    cdef tuple groups
    cdef Py_ssize_t suffix

    cdef bint _read(self, str content) except -1
    cdef bint _read_choices(self, str regex) except -1
    cdef bint _read_lengths(self, str regex) except -1
    cdef object _read_pattern(self, str content, bint suffixed)
    @cython.locals(conversion=_Conversion, route=Route)
    cdef bint is_leaf(self) except -1
    @cython.locals(kind=int, point=Py_ssize_t, size=Py_ssize_t)
    cdef bint accept(
        self, str path, Py_ssize_t start, Py_ssize_t stop
    ) except -1


cdef class Matcher:
    cdef readonly object url_map
    cdef readonly bint sure
    cdef dict _exact
    cdef dict _decoded
    cdef dict _prefixes
    cdef bytes _lengths
    cdef dict _attributes
    cdef object _matcher
    cdef object _host_matching
    cdef object _redirect_defaults
    cdef object _subdomain
    cdef bytes _places
    cdef unsigned long long _seen
    cdef object same
    cdef tuple _values
    cdef bint _watched

    cdef _keep(self, object mark)
    @cython.locals(changes="unsigned long long", same=bint)
    cpdef bint fresh(self) except -1
    @cython.locals(path=str, state=_State, route=Route)
    cpdef int match(self, Routed out, object path_info, object method) except -1
    @cython.locals(answer=int, known=Py_ssize_t, last=Py_ssize_t, lengths=bytes, start=Py_ssize_t, state=_State)
    cdef int _search(self, Routed out, _State leaf, str path, str method) except -1
    @cython.locals(edge=_Edge, end=Py_ssize_t, route=Route)
    cdef bint _take(
        self,
        Routed out,
        _State state,
        str path,
        Py_ssize_t start,
        bint is_segment,
        str method,
    ) except -1
    @cython.locals(answer=int, child=_State, end=Py_ssize_t, stop=Py_ssize_t)
    cdef int _follow(
        self,
        Routed out,
        _State state,
        list values,
        str path,
        Py_ssize_t start,
        str method,
    ) except -1
    @cython.locals(after=Py_ssize_t, answer=int, edge=_Edge, end=Py_ssize_t, route=Route, segment_stop=Py_ssize_t, size=Py_ssize_t, stop=Py_ssize_t)
    cdef int _branch(
        self,
        Routed out,
        _State state,
        list values,
        str path,
        Py_ssize_t start,
        str method,
    ) except -1
    @cython.locals(route=Route)
    cdef int _arrive(
        self, Routed out, _State state, list values, str method
    ) except -1
    cdef int _disallow(self, Routed out, Route route) except -1
    @cython.locals(args=dict, conversion=_Conversion, index=Py_ssize_t)
    cdef int _finish(
        self, Routed out, Route route, list values, str method
    ) except -1
    cdef object _read(self)
    cdef dict _redirecting(self)
    @cython.locals(child=_State, edge=_Edge, state=_State)
    cdef _State _read_state(
        self,
        object source,
        str prefix,
        dict routes,
        dict redirecting,
        int depth,
        set lengths,
    )
    @cython.locals(route=Route)
    cdef Route _read_rule(self, object rule, dict routes, dict redirecting)
