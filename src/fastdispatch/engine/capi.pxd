from cpython.object cimport PyObject


cdef enum:
    COMPILED = 1


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
    #define FD_FEW 8
    static CYTHON_INLINE PyObject *fd_call_named(
        PyObject *func, PyObject *empty, PyObject *args
    ) {
        PyObject *stack[FD_FEW + 1], *names, *name, *value, *result = NULL;
        Py_ssize_t size, at = 0, filled = 0;
        size = PyDict_GET_SIZE(args);
        if (size > FD_FEW) return PyObject_Call(func, empty, args);
        names = PyTuple_New(size);
        if (names == NULL) return NULL;
        while (filled < size && PyDict_Next(args, &at, &name, &value)) {
            PyTuple_SET_ITEM(names, filled, Py_NewRef(name));
            filled++;
            stack[filled] = Py_NewRef(value);
            if (!PyUnicode_CheckExact(name)) break;
        }
        if (filled == size && (size == 0 || PyUnicode_CheckExact(name)))
            result = ((PyFunctionObject *)func)->vectorcall(
                func, stack + 1, PY_VECTORCALL_ARGUMENTS_OFFSET, names);
        else
            result = PyObject_Call(func, empty, args);
        for (at = 1; at <= filled; at++) Py_DECREF(stack[at]);
        Py_DECREF(names);
        return result;
    }
    static CYTHON_INLINE PyObject *fd_call_hook(
        PyObject *func, PyObject *app, int own, PyObject *value, PyObject *mark,
        PyObject *ensure_sync
    ) {
        PyObject *stack[2] = {NULL, value}, *synced, *result;
        size_t flagged = (value != NULL) | PY_VECTORCALL_ARGUMENTS_OFFSET;
        if (own) switch (fd_is_plain_function(func, mark)) {
            case 0: break;
            case 1: return ((PyFunctionObject *)func)->vectorcall(
                func, stack + 1, flagged, NULL);
            default: return NULL;
        }
        synced = PyObject_CallMethodOneArg(app, ensure_sync, func);
        if (synced == NULL) return NULL;
        result = PyObject_Vectorcall(synced, stack + 1, flagged, NULL);
        Py_DECREF(synced);
        return result;
    }
    /* Whether the caller's is the only reference to an object, and there is nothing in its
       dict, which nobody else has. */
    static CYTHON_INLINE int fd_is_sole(PyObject *obj) {
    #ifdef Py_GIL_DISABLED
        (void)obj;
        return 0;
    #else
        PyTypeObject *type = Py_TYPE(obj);
        PyObject *dict;
        if (Py_REFCNT(obj) != 1 || type->tp_weaklistoffset <= 0
            || type->tp_dictoffset <= 0
            || *(PyObject **)((char *)obj + type->tp_weaklistoffset) != NULL) return 0;
        dict = *(PyObject **)((char *)obj + type->tp_dictoffset);
        return dict == NULL || (Py_REFCNT(dict) == 1 && PyDict_GET_SIZE(dict) == 0);
    #endif
    }
    static CYTHON_INLINE PyObject *fd_instance_dict(PyObject *obj) {
        PyObject **dict = _PyObject_GetDictPtr(obj);
        PyObject *found = (dict == NULL || *dict == NULL) ? Py_None : *dict;
        return Py_NewRef(found);
    }
    static CYTHON_INLINE Py_ssize_t fd_dict_address(PyObject *obj) {
        PyObject **dict = _PyObject_GetDictPtr(obj);
        return dict == NULL ? 0 : (Py_ssize_t)*dict;
    }
    static CYTHON_INLINE PyObject *fd_new_instance(PyObject *cls, PyObject *args) {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, args, NULL);
    }
    """
    unsigned int fd_type_version(object cls)
    int fd_is_plain_function(object func, object mark) except -1
    object fd_call_named(object func, tuple empty, dict args)
    object fd_call_hook(
        object func, object app, bint own, void *value, object mark, object ensure_sync
    )
    bint fd_is_sole(object obj) noexcept
    object fd_instance_dict(object obj)
    Py_ssize_t fd_dict_address(object obj) noexcept
    object fd_new_instance(object cls, tuple args)


cdef inline unsigned int type_version(object cls):
    return fd_type_version(cls)


cdef inline bint is_plain_function(object func) except -1:
    return fd_is_plain_function(func, "_is_coroutine_marker")


cdef inline object call_hook(object func, object app, bint own):
    return fd_call_hook(func, app, own, NULL, "_is_coroutine_marker", "ensure_sync")


cdef inline object call_hook_with(object func, object app, bint own, object value):
    return fd_call_hook(
        func, app, own, <void *>value, "_is_coroutine_marker", "ensure_sync"
    )


cdef inline object call_named(object func, dict args):
    # PERF: no copy of args, no tuple and dict to take apart: a view with one argument
    # takes a sixth less.
    return fd_call_named(func, (), args)


cdef extern from *:
    """
    /* The list of headers of the response before, where nobody has kept it. */
    static PyObject *fd_spare_list = NULL;
    static PyObject *fd_start(
        PyObject *func, PyObject *status, PyObject *first, PyObject *second
    ) {
        size_t flagged = 2 | PY_VECTORCALL_ARGUMENTS_OFFSET;
        PyObject *result, *headers = fd_spare_list, *stack[3];
        fd_spare_list = NULL;
        /* gc.get_objects shows it: whoever found it there may have changed or kept it. */
        if (headers != NULL
            && (Py_REFCNT(headers) != 1 || PyList_GET_SIZE(headers) != 2))
            Py_CLEAR(headers);
        if (headers != NULL) {
            PyObject *old_first = PyList_GET_ITEM(headers, 0);
            PyObject *old_second = PyList_GET_ITEM(headers, 1);
            PyList_SET_ITEM(headers, 0, Py_NewRef(first));
            PyList_SET_ITEM(headers, 1, Py_NewRef(second));
            Py_DECREF(old_first);
            Py_DECREF(old_second);
        } else {
            headers = PyList_New(2);
            if (headers == NULL) return NULL;
            PyList_SET_ITEM(headers, 0, Py_NewRef(first));
            PyList_SET_ITEM(headers, 1, Py_NewRef(second));
        }
        stack[0] = NULL;
        stack[1] = status;
        stack[2] = headers;
        if (Py_TYPE(func) == &PyFunction_Type)
            result = ((PyFunctionObject *)func)->vectorcall(
                func, stack + 1, flagged, NULL);
        else
            result = PyObject_Vectorcall(func, stack + 1, flagged, NULL);
    #ifndef Py_GIL_DISABLED
        if (Py_REFCNT(headers) == 1 && fd_spare_list == NULL
            && PyList_GET_SIZE(headers) == 2
            && PyList_GET_ITEM(headers, 0) == first
            && PyList_GET_ITEM(headers, 1) == second) {
            fd_spare_list = headers;
            return result;
        }
    #endif
        Py_DECREF(headers);
        return result;
    }
    """
    object fd_start(object func, object status, object first, object second)


cdef inline object start(
    object start_response, object status, tuple first, tuple second
):
    # PERF: a list less to be made and thrown away, 3% of hello world's instructions.
    return fd_start(start_response, status, first, second)


cdef extern from *:
    """
    #define FD_PARAMETERS 6
    typedef PyObject *(*fd_maker)(
        PyObject *cls, PyObject *, PyObject *, PyObject *, PyObject *, PyObject *,
        PyObject *
    );
    static fd_maker fd_made;
    static PyObject *fd_parameters;

    static PyObject *fd_call_as_ever(
        PyObject *cls, PyObject *const *args, Py_ssize_t given, PyObject *names
    ) {
        PyObject *result = NULL, *named = NULL, *positional = PyTuple_New(given);
        if (positional == NULL) return NULL;
        for (Py_ssize_t i = 0; i < given; i++)
            PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
        if (names != NULL) {
            named = PyDict_New();
            if (named == NULL) goto done;
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
                if (PyDict_SetItem(
                        named, PyTuple_GET_ITEM(names, i), args[given + i]) < 0)
                    goto done;
        }
        result = PyType_Type.tp_call(cls, positional, named);
    done:
        Py_DECREF(positional);
        Py_XDECREF(named);
        return result;
    }
    static PyObject *fd_call_made(
        PyObject *cls, PyObject *const *args, size_t flagged, PyObject *names
    ) {
        PyObject *values[FD_PARAMETERS], *result;
        Py_ssize_t given = PyVectorcall_NARGS(flagged), at;
        if (given > FD_PARAMETERS) return fd_call_as_ever(cls, args, given, names);
        for (Py_ssize_t i = 0; i < FD_PARAMETERS; i++)
            values[i] = i < given ? args[i]
                : PyTuple_GET_ITEM(PyTuple_GET_ITEM(fd_parameters, i), 1);
        for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
            for (at = given; at < FD_PARAMETERS; at++)
                if (PyTuple_GET_ITEM(PyTuple_GET_ITEM(fd_parameters, at), 0)
                        == PyTuple_GET_ITEM(names, i))
                    break;
            if (at == FD_PARAMETERS) return fd_call_as_ever(cls, args, given, names);
            values[at] = args[given + i];
        }
        result = fd_made(
            cls, values[0], values[1], values[2], values[3], values[4], values[5]);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
        return fd_call_as_ever(cls, args, given, names);
    }
    static void fd_call_by(PyObject *cls, fd_maker made, PyObject *parameters) {
        fd_made = made;
        Py_XSETREF(fd_parameters, Py_NewRef(parameters));
        ((PyTypeObject *)cls)->tp_vectorcall = fd_call_made;
    }
    """
    ctypedef object (*Maker "fd_maker")(
        object, object, object, object, object, object, object
    )
    void fd_call_by(object cls, Maker made, tuple parameters)


cdef inline int call_by(object cls, Maker made, tuple parameters) except -1:
    # One pair of made and parameters in each module that calls this.
    fd_call_by(cls, made, parameters)
    return 0


cdef inline Py_ssize_t address(object obj) noexcept:
    return <Py_ssize_t><void *>obj


cdef inline Py_ssize_t dict_address(object obj) noexcept:
    return fd_dict_address(obj)


cdef inline bint is_sole(object obj) noexcept:
    return fd_is_sole(obj)


cdef extern from "Python.h":
    void PyObject_GC_UnTrack(object) noexcept
    void PyObject_GC_Track(object) noexcept


cdef inline void hide(object obj) noexcept:
    PyObject_GC_UnTrack(obj)


cdef inline void show(object obj) noexcept:
    PyObject_GC_Track(obj)


cdef inline dict instance_dict(object obj):
    # Of any subclass of dict: it is read as a dict, as attributes are.
    return <dict>fd_instance_dict(obj)


cdef inline object new_instance(object cls):
    return fd_new_instance(cls, ())


cdef inline object new_object(object cls):
    return fd_new_instance(cls, ())


cdef extern from *:
    """
    /* Whoever asks has a reference of its own, which is one of those counted: an argument
       is not to be asked for that Python code has handed over. From 3.14 on a Python frame
       counts no reference for what it passes of a local variable, and would be missed.
       All others are counted: that of the variable, of an argument once the called
       function runs, of a frame that waits. Without the GIL not even these are. */
    #ifdef Py_GIL_DISABLED
    #define fd_is_seen(obj) 1
    #define fd_is_shared(obj) 1
    #else
    static CYTHON_INLINE int fd_is_seen(PyObject *obj) {
        PyTypeObject *type = Py_TYPE(obj);
        return Py_REFCNT(obj) != 1
            || type->tp_finalize != NULL
            || (type->tp_weaklistoffset != 0
                && *(PyObject **)((char *)obj + type->tp_weaklistoffset) != NULL);
    }
    static CYTHON_INLINE int fd_is_shared(PyObject *obj) {
        /* Whoever asks has a reference, too. */
        return Py_REFCNT(obj) != 2;
    }
    #endif
    static CYTHON_INLINE int fd_is_one_bytes(PyObject *list) {
        return PyList_CheckExact(list) && PyList_GET_SIZE(list) == 1
            && PyBytes_CheckExact(PyList_GET_ITEM(list, 0));
    }
    """
    bint fd_is_seen(object obj) noexcept
    bint fd_is_shared(object obj) noexcept
    bint fd_is_one_bytes(object obj) noexcept


cdef inline bint is_seen(object obj) noexcept:
    return fd_is_seen(obj)


cdef inline bint is_shared(object obj) noexcept:
    return fd_is_shared(obj)


cdef inline bint is_one_bytes(object obj) noexcept:
    return fd_is_one_bytes(obj)


cdef inline bint identical(tuple values, tuple others) except -1:
    cdef Py_ssize_t i
    if len(values) != len(others):
        return False
    for i in range(len(values)):
        if values[i] is not others[i]:
            return False
    return True
