import cython

from . cimport cvars
from .context cimport Context
from .plan cimport Plan

cdef object HTTPException
cdef object InternalServerError


@cython.locals(plan=Plan)
cdef bint knows(Context ctx, str step, bint own) except -1
@cython.locals(names=tuple)
cdef object find_handler(Context ctx, object error, object code)
cdef bint _has_defaults(object spec, tuple names) except -1
cdef object _find(object spec, tuple names, object cls, object code)
cdef object handle_user_exception(Context ctx, object error)
@cython.locals(plan=Plan)
cdef object handle_exception(Context ctx, object error)
cdef bint _silent(object app, Plan plan) except -1
