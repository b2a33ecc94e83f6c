cdef extern from *:
    """
    #define FD_CORO_FLAGS (0x80 | 0x100)
    static CYTHON_INLINE unsigned int fd_type_version(PyObject *cls) {
        return ((PyTypeObject *)cls)->tp_version_tag;
    }
    static CYTHON_INLINE int fd_is_plain_function(PyObject *func, PyObject *mark) {
        PyObject *dict;
        if (Py_TYPE(func) != &PyFunction_Type) return 0;
        if (((PyCodeObject *)PyFunction_GET_CODE(func))->co_flags & FD_CORO_FLAGS)
            return 0;
        dict = ((PyFunctionObject *)func)->func_dict;
        if (dict == NULL) return 1;
        switch (PyDict_Contains(dict, mark)) {
            case 0: return 1;
            case 1: return 0;
            default: return -1;
        }
    }
    """
    unsigned int fd_type_version(object cls)
    int fd_is_plain_function(object func, object mark) except -1


cdef inline unsigned int type_version(object cls):
    return fd_type_version(cls)


cdef inline bint is_plain_function(object func) except -1:
    return fd_is_plain_function(func, "_is_coroutine_mark")
