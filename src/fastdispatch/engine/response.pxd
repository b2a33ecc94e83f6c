import cython

from . cimport capi
from . cimport cdicts
from . cimport ctext

cdef object _werkzeug_init
cdef object Headers
cdef object ClosingIterator
cdef object GeneratorType
cdef object WerkzeugResponse
cdef object HTTPException
cdef object Iterator
cdef object HTTP_STATUS_CODES
cdef bint _statuses_watched
cdef object _END
cdef dict _proofs
cdef list _last_proof
cdef dict _lines
cdef dict _type_items
cdef list _length_items
cdef list _last_404
cdef object NotFound
cdef unsigned int _plain_404
cdef object _are_stock_headers
cdef unsigned int _headers_version
cdef frozenset _SHADOWING
cdef frozenset _EXCEPTION_SHADOWING
cdef tuple _EXCEPTION_TYPE_ITEM
cdef dict _stock_exceptions
cdef dict _pages
cdef Py_ssize_t _PAGE_LENGTH


cdef class ResponseKernel:
    cdef bytes _fd_body
    cdef bint _fd_bodied
    cdef object _fd_code
    cdef object _fd_headers
    cdef object _fd_iterable
    cdef Py_ssize_t _fd_length
    cdef object _fd_on_close
    cdef object _fd_passthrough
    cdef object _fd_status
    cdef bint _fd_streamed
    cdef tuple _fd_type

    cdef object made_headers(self)
    cdef object made_iterable(self)
    cdef void _set_iterable(self, object iterable) noexcept


cdef class ClassProof:
    cdef readonly unsigned int version
    cdef readonly object same
    cdef readonly object cls
    cdef readonly object watch
    cdef readonly bint builds
    cdef readonly bint creates
    cdef readonly bint sends
    cdef readonly bint sends_body
    cdef bint bodied
    cdef readonly bint forces
    cdef readonly object code
    cdef readonly object reason
    cdef unsigned long long reason_seen
    cdef readonly str line
    cdef readonly tuple type_item


@cython.locals(proof=ClassProof, self=ResponseKernel)
cdef object _made(
    object cls,
    object response,
    object status,
    object headers,
    object mimetype,
    object content_type,
    object direct_passthrough,
)
@cython.locals(version="unsigned int", proof=ClassProof)
cpdef ClassProof prove(object cls)
@cython.locals(known=bint, proof=ClassProof)
cdef ClassProof prove_whole(object cls, object environ)
cdef ClassProof _renew(object cls)
cdef bint _untouched(object response) except -1

cdef bint is_code(object value) except -1
cdef bint has_body(int code) noexcept
@cython.locals(known=tuple)
cdef str _line(object code)
@cython.locals(known=tuple, item=tuple, size=Py_ssize_t)
cdef tuple length_item(Py_ssize_t length)
cdef tuple content_type_item(object mimetype)
cdef object _new_headers(list listed)
@cython.locals(version="unsigned int")
cpdef bint headers_are_stock() except -1
@cython.locals(items=list)
cdef object _to_headers(object headers)
@cython.locals(key=str, size=Py_ssize_t)
cdef bint _lacks(object headers, str name) except -1
cdef object _set_header(object headers, str name, tuple item)
@cython.locals(known=bint)
cdef object _set_status(ResponseKernel self, ClassProof proof, object status)
@cython.locals(item=tuple)
cdef object fill(
    ResponseKernel self,
    ClassProof proof,
    object response,
    object status,
    object headers,
    object mimetype,
    object content_type,
    object direct_passthrough,
)

@cython.locals(self=ResponseKernel)
cdef object _create(object cls, ClassProof proof, object body, object status)
cdef object _kept_class
cdef object _spare
cdef object _new(object cls)
cdef object _keep(ResponseKernel kernel)
@cython.locals(value=bytes)
cdef object _put(ResponseKernel self, ClassProof proof, object body, object status)

@cython.locals(proof=ClassProof, size=Py_ssize_t)
cpdef object make_response(
    object app, object cls, object rv, object ctx, object stand_in=*
)
cdef object _force(object cls, object rv, object ctx)
cdef bint _is_stock_exception(object cls) except -1
@cython.locals(proof=ClassProof, response=ResponseKernel, page=tuple)
cdef object _from_exception(object cls, object error, object environ)


cdef class ResponseBody:
    cdef bint _finished
    cdef object _iterable
    cdef object _iterator
    cdef ResponseKernel _response

    cdef void drop(self) noexcept


@cython.locals(response=ResponseKernel)
cdef object from_body(object cls, tuple item, bytes body)
cdef object put_body(ResponseKernel self, tuple item, bytes body)
@cython.locals(changes=cython.ulonglong)
cdef bint _has_known_parts(ClassProof proof) except -1
@cython.locals(version="unsigned int")
cdef bint makes_plain_404() except -1
@cython.locals(response=ResponseKernel, known=tuple, version="unsigned int")
cdef tuple page_of_404(object cls, object environ)
@cython.locals(
    kernel=ResponseKernel, headers=list, body=bytes, whole=bint, sole=bint
)
cpdef object send(
    object response, object environ, object start_response, bint owned=*
)
cdef bint _is_as_stock(ResponseKernel response, dict environ) except -1
@cython.locals(item=tuple)
cdef list _wire_headers(ResponseKernel response)
@cython.locals(
    key=str,
    kept=list,
    pair=tuple,
    listed=list,
    size=Py_ssize_t,
    has_length=bint,
)
cdef list list_headers(object headers, object body)
cdef Py_ssize_t _measure(object items) except -1
