import cython

from . cimport capi
from . cimport jsontext
from . cimport response as responses
from .hosted cimport HostedContext
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
cdef dict _template


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

@cython.locals(fields=dict)
cdef object _of_kernel(object cls, ResponseKernel kernel)
@cython.locals(ctx=HostedContext, body=bytes, item=tuple)
cpdef object json_response(object provider, object value)
@cython.locals(kernel=ResponseKernel)
cdef object shown(object response)


cdef class PlainBody(ResponseBody):
    cdef object _owner


@cython.locals(fields=dict, headers=list, body=PlainBody)
cpdef object send(object response, object environ, object start_response)
cdef list _wire_headers(dict fields, dict environ)
