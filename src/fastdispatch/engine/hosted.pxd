import cython

from . cimport capi
from . cimport cdicts
from . cimport ctext
from . cimport cvars
from . cimport failures
from . cimport lifecycle
from . cimport plain
from .context cimport Context
from .plan cimport Host
from .plan cimport Plan


cdef class Watcher(Host):
    cdef tuple _names
    cdef tuple _values
    cdef tuple _classes
    cdef object _total_version
    cdef tuple _facts
    cdef unsigned long long _versions
    cdef tuple _tables
    cdef object _settings
    cdef dict _settings_then
    cdef tuple _late_names
    cdef tuple _late_values
    cdef Py_ssize_t _own_size
    cdef object _own_class
    cdef Py_ssize_t _own_address
    cdef unsigned long long _own_changes

    @cython.locals(plan=Plan)
    cdef Plan plan_now(self, object app)
    @cython.locals(own=dict)
    cdef Plan plan_later(self, object app, Plan plan)
    @cython.locals(own=dict, watched=bint, changes="unsigned long long")
    cdef bint _changed(self, object app, Plan plan) except -1
    @cython.locals(table=dict)
    cdef bint _watch_others(self) except -1
    @cython.locals(versions=cython.ulonglong)
    cdef bint _classes_changed(self) except -1
    @cython.locals(total="unsigned long long", version="unsigned int")
    cdef unsigned long long _class_versions(self) except? 1
    @cython.locals(table=dict, size=Py_ssize_t)
    cdef bint _tables_changed(self) except -1
    @cython.locals(plan=Plan)
    cdef Plan _draw_anew(self, object app)
    @cython.locals(own=dict, versions="unsigned long long")
    cdef Plan _draw(self, object app)


cdef class HostedContext(Context):
    cdef Watcher _host
    cdef bint _unopened

    cdef prepare(self)
    cdef object bind(self)
    @cython.locals(plan=Plan)
    cdef open(self)
    @cython.locals(plan=Plan, now=Plan, host=Watcher)
    cdef Plan renew(self)
    cdef object opened_session(self)
    cdef object shown(self, object response)
    cdef object send(self, object response, object environ, object start_response)
    cdef bint knows(self, str step, bint own) except -1
    cdef object handle_user_exception(self, object error)
    cdef object handle_exception(self, object error)
    cdef bint is_current(self) except -1


cdef bint _unchanged(Watcher host, object app, object plan) noexcept
cdef check_latin1(object text)
@cython.locals(ctx=HostedContext)
cdef HostedContext new_context(object app, Plan plan, object environ, Watcher host)


cdef class HostedApplication(Watcher):
    cdef object _app
