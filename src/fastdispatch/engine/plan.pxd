import cython

from . cimport capi
from . cimport cdicts
from . cimport ctext


cdef class SessionCookies:
    cpdef object open(self, object app, object environ, object request)
    cpdef bint owes_nothing(self, object app, object environ) except -1
    cpdef bint save(self, object app, object session, object response) except -1


cdef class JSONText:
    cpdef tuple respond(self, object provider, object debug, object obj)


@cython.final
cdef class Plan:
    cdef unsigned int version
    cdef object same
    cdef object cls
    cdef object watch
    cdef unsigned long changes
    cdef public bint begun
    cdef readonly bint own_create_url_adapter
    cdef readonly bint own_error_lookup
    cdef readonly bint own_handle_exception
    cdef readonly bint own_log_exception
    cdef readonly bint own_dispatch_request
    cdef readonly bint own_do_teardown_appcontext
    cdef readonly bint own_do_teardown_request
    cdef readonly bint own_ensure_sync
    cdef readonly bint own_finalize_request
    cdef readonly bint own_full_dispatch_request
    cdef readonly bint own_handle_user_exception
    cdef readonly bint own_make_response
    cdef readonly bint own_preprocess_request
    cdef readonly bint own_process_response
    cdef readonly bint own_raise_routing_exception
    cdef readonly bint own_request_context
    cdef readonly bint own_should_ignore_error
    cdef readonly bint own_wsgi_app
    cdef bint own_response
    cdef object url_value_preprocessors
    cdef object before_request
    cdef object after_request
    cdef object teardown_request
    cdef object teardown_appcontext
    cdef object view_functions
    cdef object config
    cdef bint config_watched
    cdef unsigned int config_version
    cdef unsigned long long hosts_seen
    cdef bint hosts_trusted
    cdef unsigned long long cookie_seen
    cdef object cookie_name
    cdef object pushed
    cdef object started
    cdef object finished
    cdef object tearing_down
    cdef object app_tearing_down
    cdef object popped
    cdef object failed
    cdef object failed_to
    cdef object pushed_to
    cdef object started_to
    cdef object finished_to
    cdef object tearing_down_to
    cdef object app_tearing_down_to
    cdef object popped_to
    cdef object url_map
    cdef public object matcher
    cdef bint flat
    cdef set known_hosts
    cdef object session_interface
    cdef bint lazy_session
    cdef bint cookie_named_by_config
    cdef readonly SessionCookies cookie_sessions
    cdef object find_cookies
    cdef bint lazy_request
    cdef object response_class
    cdef object error_handlers
    cdef bint stock_errors
    cdef object find_requests
    cdef JSONText json_text
    cdef object find_json
    cdef bint debug_in_config
    cdef readonly bint hosted
    cdef object app_var
    cdef object request_var
    cdef object context_class
    cdef object app_context_class
    cdef object request_stand_in
    cdef object response_stand_in
    cdef bint lazy_app_context

    cdef bint takes_host(self, object host) except -1
    cdef know_host(self, object host)
    cdef SessionCookies cookies(self)
    cdef JSONText json(self)
    cdef bint watches_config(self)
    @cython.locals(changes=cython.ulonglong)
    cpdef bint trusts_all_hosts(self) except -1
    @cython.locals(changes=cython.ulonglong)
    cdef bint lacks_cookie(self, object environ) except -1
    cdef bint refreshes_cookie(self) except -1
    @cython.locals(version="unsigned int")
    cpdef bint stale(self, object cls) except -1


cdef class Host:
    cdef Plan _plan
    cdef unsigned long _changes

    @cython.locals(plan=Plan)
    cdef Plan get_plan(self)
