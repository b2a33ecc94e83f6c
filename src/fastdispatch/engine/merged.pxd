import cython

from . cimport capi
from . cimport cdicts
from . cimport cvars
from . cimport hooks
from .context cimport Context
from .hosted cimport HostedContext
from .plan cimport Plan


cdef class MergedContext(HostedContext):
    cdef public object _cv_token
    cdef public Py_ssize_t _push_count

    cdef start(self, object app, Plan plan, object environ)
    cdef prepare(self)
    cdef object call_step(self, object step)
    cdef object call_step_with(self, object step, object value)
    @cython.locals(plan=Plan)
    cdef enter(self)
    cdef preserve(self, object keep)
    @cython.locals(plan=Plan, errors=list, again=bint)
    cdef end(self, object exc, bint whatever=*)


cdef list added(list errors, object error)
@cython.locals(chain=list)
cdef list teardown_chain(Plan plan, object app, object funcs, object exc, list errors)
cdef list send_teardown(object app, object signal, object exc, list errors)
@cython.locals(plan=Plan, errors=list)
cdef teardown_request(MergedContext ctx, object exc)
@cython.locals(plan=Plan, errors=list)
cdef teardown_appcontext(MergedContext ctx, object exc)
