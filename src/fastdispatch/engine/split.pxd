import cython

from . cimport capi
from . cimport cdicts
from . cimport cvars
from . cimport hooks
from .context cimport Context
from .hosted cimport HostedContext
from .plan cimport Plan


cdef class SplitAppContext:
    cdef object _app
    cdef object _g
    cdef object _adapter
    cdef bint _bound
    cdef object _pushed
    cdef list _tokens

    cdef make(self)


cdef class SplitContext(HostedContext):
    cdef object _pushed
    cdef list _tokens
    cdef SplitAppContext _app_context

    cdef start(self, object app, Plan plan, object environ)
    @cython.locals(plan=Plan, inner=SplitAppContext)
    cdef enter(self)
    @cython.locals(plan=Plan)
    cdef preserve(self, object keep)
    @cython.locals(plan=Plan)
    cdef end(self, object exc, bint whatever=*)
    @cython.locals(plan=Plan, inner=SplitAppContext)
    cdef _leave_hosted(self, object exc)
    @cython.locals(plan=Plan)
    cdef _end_app_context(self, SplitAppContext inner, object exc)


@cython.locals(chain=list)
cdef object teardown_chain(Plan plan, object app, object funcs, object exc)
cdef object teardown_request(Plan plan, object app, tuple scopes, object exc)
cdef object teardown_appcontext(Plan plan, object app, object exc)
