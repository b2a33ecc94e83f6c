import cython

from . cimport capi
from . cimport cdicts
from . cimport ctext
from . cimport cvars
from . cimport response as responses
from .context cimport Context
from .plan cimport Plan
from .response cimport ClassProof
from .response cimport ResponseBody
from .response cimport ResponseKernel

cdef object WerkzeugResponse
cdef object _END
cdef tuple FIELDS
cdef tuple PARAMETERS
cdef dict _proofs
cdef list _last_proof
cdef object _no_proof
cdef object _request_var
cdef object _class
cdef object _kernel
cdef object _spare
cdef tuple _last_template


cdef class PlainProof:
    cdef unsigned int version
    cdef readonly bint sends
    cdef readonly bint makes


@cython.locals(version="unsigned int", proof=PlainProof)
cdef PlainProof prove(object cls)

@cython.locals(proof=ClassProof, kernel=ResponseKernel)
cdef object make(
    object cls,
    object response,
    object status,
    object headers,
    object mimetype,
    object content_type,
    object direct_passthrough,
)

cdef object _taken()
cdef object _of_spare(object cls, ResponseKernel kernel)
cdef tuple _template(object status, object code)
@cython.locals(template=tuple, unset=dict, fields=dict)
cdef object _of_kernel(object cls, ResponseKernel kernel)
cdef object _provider
cdef object _lent
cdef object _provider_response
cdef unsigned int _provider_version
@cython.locals(version="unsigned int")
cdef bint _provider_is_stock() except -1
@cython.locals(ctx=Context, plan=Plan, body=bytes, item=tuple, kernel=ResponseKernel)
cdef object _json(object provider, object value)
@cython.locals(kernel=ResponseKernel)
cdef object shown(object response)


cdef class PlainBody(ResponseBody):
    cdef object _owner


@cython.locals(fields=dict, headers=list, body=PlainBody)
cdef object send(object response, object environ, object start_response)
cdef bint _needs_no_rule(dict fields, dict environ) except -1
