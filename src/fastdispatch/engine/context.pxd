import cython

from . cimport capi
from . cimport cdicts
from . cimport ctext
from . cimport cvars
from . cimport hooks
from . cimport response as responses
from .plan cimport Host
from .plan cimport JSONText
from .plan cimport Plan
from .routing cimport Matcher
from .routing cimport Routed


cdef Context _spare
cdef object _var
cdef int _MATCHED
cdef int _NOT_FOUND
cdef int _NOT_ALLOWED

cpdef object current()
@cython.locals(host=Host)
cdef Plan plan_of(object app)
@cython.locals(given=Context)
cpdef object checked(object ctx)
cdef raise_errors(object app, list errors)
cpdef teardown_request(Context ctx, object exc)
cpdef teardown_appcontext(object app, object exc)
@cython.locals(ctx=Context)
cpdef Context new_context(object app, Plan plan, object environ)
cdef reuse(Context ctx)


cdef class Context(Routed):
    cdef dict __dict__
    cdef object __weakref__
    cdef public object app
    cdef Plan plan
    cdef readonly object environ
    cdef readonly bint has_request
    cdef public object flashes
    cdef object _routing_exception
    cdef bint _missing
    cdef object made_request
    cdef object opened
    cdef bint _alone
    cdef bint _unbound
    cdef bint _noted
    cdef object _g
    cdef object _adapter
    cdef bint _matched
    cdef object method
    cdef object _after_functions
    cdef tuple body_item
    cdef str body_status
    cdef Context _outer
    cdef object _token
    cdef list _more
    cdef int _holds
    cdef int _generation
    cdef bint _unfinished
    cdef bint _silent

    cdef start(self, object app, Plan plan, object environ)
    cdef forget(self)
    cdef object get_request(self)
    cdef object get_session(self)
    cdef object look(self)
    cdef object get_g(self)
    cdef object get_endpoint(self)
    cdef set_routing_exception(self, object error)
    cdef object routing_error(self)
    cdef _copy_into(self, Context ctx, bint teardown)
    cdef object get_blueprints(self)
    cdef tuple get_scopes(self)
    cdef object get_view_args(self)
    cdef object view_args_made(self)
    cdef object bind(self)
    cdef object _make_request(self)
    @cython.locals(plan=Plan, text=JSONText, made=tuple)
    cdef bytes json_body(self, object value, object provider=*)
    cdef object opened_session(self)
    cdef object call_step(self, object step)
    cdef object call_step_with(self, object step, object value)
    cdef object shown(self, object response)
    cdef object send(self, object response, object environ, object start_response)
    cdef bint knows(self, str step, bint own) except -1
    cdef object handle_user_exception(self, object error)
    cdef object handle_exception(self, object error)
    cdef object open_cookie_session(self)
    cdef bint save_cookie_session(self, object session, object response) except -1
    cdef bint is_current(self) except -1
    @cython.locals(plan=Plan, matcher=Matcher, code=int, environ=dict)
    cdef match(self)
    @cython.locals(plan=Plan)
    cdef _match_by_adapter(self)
    cdef Plan renew(self)
    cdef preserve(self, object keep)
    @cython.locals(plan=Plan, has_request=bint)
    cdef enter(self)
    cdef _share(self, Context outer)
    cdef end(self, object exc, bint whatever=*)
    cdef _end_left_behind(self, object active, object exc)
    cdef _leave(self)
    cdef _end_work(self, object errors)
    cdef str _cannot_pop(self, object active)
    @cython.locals(plan=Plan)
    cdef drop_holds(self)
    cdef object _finish(self, object exc)
    cdef object _teardown_request(self, object exc)
    cdef object _call_teardown(self, object step, object exc, object errors)
    cdef object _close_request(self, object errors)
    cdef object _signal_popped(self, object errors)


@cython.locals(plan=Plan, host=Host)
cdef object response_class(Context ctx)


cdef int REQUEST
cdef int SESSION
cdef int G
cdef int APP
cdef int REQUEST_CONTEXT
cdef int CONTEXT
cdef dict _KINDS

@cython.locals(ctx=Context)
cdef object find(int kind)
cdef object need(int kind)
@cython.locals(ctx=Context)
cdef object hand_out(int kind)


cdef class ContextProxy:
    cdef public int _kind
