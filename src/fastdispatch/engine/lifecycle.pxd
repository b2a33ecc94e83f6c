import cython

from . cimport capi
from . cimport cdicts
from . cimport context
from . cimport ctext
from . cimport hooks
from . cimport response as responses
from .context cimport Context
from .plan cimport Host
from .plan cimport Plan
from .response cimport ClassProof


cdef object _MISSING


cdef class Application(Host):
    pass


@cython.locals(ctx=Context)
cdef object run(object app, Plan plan, object environ, object start_response)
cdef object keeper(object environ)
cdef close_unsent(object app, object response)
@cython.locals(body=bytes, known=dict)
cdef object run_in(
    Context ctx, object app, Plan plan, object environ, object start_response
)
cdef object refuse(object app, object error, object environ, object start_response)
cpdef object full_dispatch_request(Context ctx)
@cython.locals(plan=Plan)
cdef object answer(Context ctx)
@cython.locals(plan=Plan)
cdef object handle_user_exception(Context ctx, object error)
@cython.locals(plan=Plan)
cdef object handle_exception(Context ctx, object error)
@cython.locals(plan=Plan)
cdef object unhandled(Context ctx)
cdef object finalize(Context ctx, object rv, object cls)
@cython.locals(plan=Plan, page=tuple, proof=ClassProof)
cdef bytes unseen(Context ctx, object rv, object cls, object environ)
@cython.locals(plan=Plan)
cdef bint owes_session(Context ctx) except -1
@cython.locals(plan=Plan)
cpdef object preprocess_request(Context ctx)
@cython.locals(plan=Plan)
cpdef object dispatch_request(Context ctx)
@cython.locals(plan=Plan, body=bytes)
cpdef object finalize_request(
    Context ctx, object rv, bint from_error_handler, object cls=*
)
cdef object process(Context ctx, object response)
@cython.locals(plan=Plan)
cdef object announce(Context ctx, object response)
@cython.locals(plan=Plan)
cpdef object process_response(Context ctx, object response)
cdef end(Context ctx, object error, object keep)
