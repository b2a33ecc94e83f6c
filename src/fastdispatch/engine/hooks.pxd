import cython

from . cimport capi
from . cimport cdicts
from .plan cimport Plan


cdef object as_list(object funcs)

@cython.locals(chain=list, own=bint)
cpdef object run_before(Plan plan, object app, tuple scopes, object ctx)

cpdef object run_after_this_request(
    Plan plan, object app, object functions, object response
)

@cython.locals(chain=list, own=bint)
cpdef object run_after(Plan plan, object app, tuple scopes, object response)

@cython.locals(chain=list, i=Py_ssize_t, own=bint)
cdef object teardown_chain(
    Plan plan, object app, object funcs, object exc, object errors, object phase
)

cdef object send_teardown(
    object app, object signal, object exc, object errors, object name
)

cpdef object run_teardown_request(Plan plan, object app, tuple scopes, object exc)

cpdef object run_teardown_appcontext(Plan plan, object app, object exc)
