import cython

from . cimport capi
from . cimport hooks
from .context cimport Context
from .plan cimport Plan


cdef class HostedAppContext:
    cdef object _app
    cdef object _g
    cdef object _adapter
    cdef bint _bound
    cdef object _pushed
    cdef list _tokens


cdef class HostedContext(Context):
    cdef object _pushed
    cdef list _tokens
    cdef HostedAppContext _app_context

    @cython.locals(plan=Plan, inner=HostedAppContext)
    cdef begin(self)
    @cython.locals(plan=Plan)
    cdef open(self)
    @cython.locals(plan=Plan)
    cdef preserve(self, object keep)
    cdef end_request(self, object exc)
    @cython.locals(plan=Plan)
    cdef end(self, object exc)
    @cython.locals(plan=Plan, inner=HostedAppContext)
    cdef _leave_hosted(self, object exc)
    @cython.locals(plan=Plan)
    cdef _end_app_context(self, HostedAppContext inner, object exc)


@cython.locals(ctx=HostedContext)
cdef HostedContext new_context(object app, Plan plan, object environ)
