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


cdef extern from "string.h":
    const void *memchr(const void *, int, size_t) noexcept
    int memcmp(const void *, const void *, size_t) noexcept


cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t index)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    Py_ssize_t PyUnicode_FindChar(
        object text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t stop, int direction
    ) except -2
    bint Py_UNICODE_ISDECIMAL(Py_UCS4 char)


cdef inline bint is_ascii(str text) noexcept:
    return PyUnicode_IS_ASCII(text)


cdef inline bint is_decimal(str text, Py_ssize_t start, Py_ssize_t stop) noexcept:
    # The caller keeps 0 <= start and stop <= len(text).
    cdef int kind = PyUnicode_KIND(text)
    cdef void *data = PyUnicode_DATA(text)
    cdef Py_ssize_t index
    if start >= stop:
        return False
    for index in range(start, stop):
        if not Py_UNICODE_ISDECIMAL(PyUnicode_READ(kind, data, index)):
            return False
    return True


cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object, object) except? NULL
    bint PyDict_Next(object, Py_ssize_t *, PyObject **, PyObject **) noexcept

cdef extern from *:
    """
    /* The version of the dict subclass that was last seen to look up as dict does.
       Its slots do not tell: a subclass defined in Python has its own. */
    static unsigned int fd_dict_version = 0;

    static int fd_looks_up_as_dict(PyTypeObject *type) {
        static const char *const names[] = {"__getitem__", "__contains__"};
        unsigned int version = type->tp_version_tag;
        int same = 1;
        for (int i = 0; same == 1 && i < 2; i++) {
            PyObject *stock = PyObject_GetAttrString((PyObject *)&PyDict_Type, names[i]);
            PyObject *found = PyObject_GetAttrString((PyObject *)type, names[i]);
            same = stock == NULL || found == NULL ? -1 : stock == found;
            Py_XDECREF(stock);
            Py_XDECREF(found);
        }
        if (same == 1 && version == type->tp_version_tag) fd_dict_version = version;
        return same;
    }
    static CYTHON_INLINE int fd_reads_as_dict(PyObject *table) {
        PyTypeObject *type = Py_TYPE(table);
        if (type == &PyDict_Type) return 1;
        if (!PyDict_Check(table)) return 0;
        if (type->tp_version_tag != 0 && type->tp_version_tag == fd_dict_version)
            return 1;
        if (type->tp_as_mapping->mp_subscript
                == PyDict_Type.tp_as_mapping->mp_subscript
            && type->tp_as_sequence->sq_contains
                == PyDict_Type.tp_as_sequence->sq_contains)
            return 1;
        return fd_looks_up_as_dict(type);
    }
    /* A subclass of dict that is true when it is not empty, and never changes: that of
       most hook tables, defaultdict. */
    static PyTypeObject *fd_sized = NULL;

    static int fd_is_true(PyObject *table) {
        PyTypeObject *type = Py_TYPE(table);
        if (PyDict_Check(table)
            && type->tp_as_mapping->mp_length == PyDict_Type.tp_as_mapping->mp_length
            && (type->tp_as_number == NULL || type->tp_as_number->nb_bool == NULL)) {
            if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE))
                Py_XSETREF(fd_sized, (PyTypeObject *)Py_NewRef(type));
            return PyDict_GET_SIZE(table) != 0;
        }
        return PyObject_IsTrue(table);
    }
    static CYTHON_INLINE int fd_filled(PyObject *table) {
        PyTypeObject *type = Py_TYPE(table);
        if (type == &PyDict_Type || type == fd_sized)
            return PyDict_GET_SIZE(table) != 0;
        if (type == &PyList_Type) return PyList_GET_SIZE(table) != 0;
        return fd_is_true(table);
    }
    /* PERF: whether a hook table has something in it, a dict most often, is asked a
       dozen times a request: "if table:" is that, without a call. */
    #define PyObject_IsTrue(table) fd_filled(table)
    """
    bint fd_reads_as_dict(object table) except -1


cdef inline object item(object table, object key):
    cdef PyObject *value
    if fd_reads_as_dict(table):
        value = PyDict_GetItemWithError(table, key)
        if value is not NULL:
            return <object>value
    return table[key]


cdef inline bint is_underscored(object name) noexcept:
    return type(name) is not str or (
        PyUnicode_GET_LENGTH(name) > 0
        and PyUnicode_READ(PyUnicode_KIND(name), PyUnicode_DATA(name), 0) == c"_"
    )


cdef inline object table_get(object table, object key):
    cdef PyObject *value
    if not fd_reads_as_dict(table):
        # A mapping of another kind, or a dict that looks up in its own way.
        return table[key] if key in table else None
    value = PyDict_GetItemWithError(table, key)
    if value is NULL:
        return None
    return <object>value


cdef inline object app_wide(object table):
    # PERF: most often it is the first entry: a place looked at is a third of a lookup.
    cdef PyObject *key = NULL
    cdef PyObject *value = NULL
    cdef Py_ssize_t place = 0
    if (
        fd_reads_as_dict(table)
        and PyDict_Next(table, &place, &key, &value)
        and key is <PyObject *>None
    ):
        return <object>value
    return table_get(table, None)


cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030C0000 && !defined(Py_GIL_DISABLED)
    /* Each module that watches has its own count. */
    static unsigned long long fd_watched_changes = 1;
    static int fd_watcher = -1;

    static int fd_count_change(
        PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value
    ) {
        (void)event; (void)dict; (void)key; (void)value;
        fd_watched_changes++;
        return 0;
    }
    static int fd_watch(PyObject *table) {
        int plain = fd_reads_as_dict(table);
        if (plain != 1) return plain;
        if (((PyDictObject *)table)->ma_values != NULL) {
            /* An object of few attributes has them in itself (CPython 3.13), and what is
               set there is told to nobody. A key that is no str has it use its dict. */
            if (PyDict_SetItem(table, Py_None, Py_None) < 0
                || PyDict_DelItem(table, Py_None) < 0) return -1;
            if (((PyDictObject *)table)->ma_values != NULL) return 0;
        }
        if (fd_watcher < 0) fd_watcher = PyDict_AddWatcher(fd_count_change);
        if (fd_watcher < 0) {
            /* Others have taken all there are. */
            PyErr_Clear();
            return 0;
        }
        return PyDict_Watch(fd_watcher, table) < 0 ? -1 : 1;
    }
    static int fd_type_watcher = -1;

    static int fd_count_type_change(PyTypeObject *type) {
        (void)type;
        fd_watched_changes++;
        return 0;
    }
    static int fd_watch_type(PyObject *type) {
        if (fd_type_watcher < 0)
            fd_type_watcher = PyType_AddWatcher(fd_count_type_change);
        if (fd_type_watcher < 0) {
            PyErr_Clear();
            return 0;
        }
        if (PyType_Watch(fd_type_watcher, type) < 0) return -1;
        /* Without a version its changes are told to nobody. */
        return fd_type_version(type) != 0;
    }
    #define fd_changes_watched() fd_watched_changes
    #else
    #define fd_watch(table) 0
    #define fd_watch_type(type) 0
    #define fd_changes_watched() 0ULL
    #endif
    """
    bint fd_watch(object table) except -1
    bint fd_watch_type(object type) except -1
    unsigned long long fd_changes_watched() noexcept


cdef inline Py_ssize_t address(object obj) noexcept:
    return <Py_ssize_t><void *>obj


cdef inline Py_ssize_t dict_address(object obj) noexcept:
    return fd_dict_address(obj)


cdef inline bint watch(object table) except -1:
    return fd_watch(table)


cdef inline bint watch_type(object cls) except -1:
    return fd_watch_type(cls)


cdef inline unsigned long long watched_changes() noexcept:
    return fd_changes_watched()


cdef extern from "Python.h":
    bytes PyUnicode_AsUTF8String(object text)


cdef extern from *:
    """
    #ifndef Py_GIL_DISABLED
    /* By the last bits of a key's address: how many keys came before it in the dict in
       which it was last looked for, and how often it was not there. */
    static struct { Py_ssize_t place; unsigned int missed; } fd_places[256];

    static CYTHON_INLINE int fd_is_key(PyObject *found, PyObject *key) {
        return found == key
            || (PyUnicode_CheckExact(found)
                && PyUnicode_IS_COMPACT_ASCII(found) && PyUnicode_IS_COMPACT_ASCII(key)
                && PyUnicode_GET_LENGTH(found) == PyUnicode_GET_LENGTH(key)
                && memcmp(PyUnicode_DATA(found), PyUnicode_DATA(key),
                          PyUnicode_GET_LENGTH(key)) == 0);
    }
    static PyObject *fd_look_up(PyObject *table, PyObject *key, size_t slot) {
        PyObject *value = PyDict_GetItemWithError(table, key), *found;
        Py_ssize_t place, next = 0;
        /* Where the order changes all the time, to remember it does not pay. */
        if (value == NULL || fd_places[slot].missed++ % 64 != 0) return value;
        do {
            place = next;
            if (!PyDict_Next(table, &next, &found, NULL)) return value;
        } while (!fd_is_key(found, key));
        fd_places[slot].place = place;
        return value;
    }
    static CYTHON_INLINE PyObject *fd_recall(PyObject *table, PyObject *key) {
        size_t slot = ((size_t)key >> 4) % 256;
        Py_ssize_t place = fd_places[slot].place;
        PyObject *found, *value;
        if (PyDict_Next(table, &place, &found, &value) && fd_is_key(found, key))
            return value;
        return fd_look_up(table, key, slot);
    }
    #else
    #define fd_recall(table, key) PyDict_GetItemWithError(table, key)
    #endif
    """
    PyObject *fd_recall(object table, object key) except? NULL


cdef inline object recall(dict table, str key):
    cdef PyObject *value = fd_recall(table, key)
    return None if value is NULL else <object>value


cdef inline object table_recall(object table, object key):
    cdef PyObject *value
    if type(key) is not str or not fd_reads_as_dict(table):
        return table_get(table, key)
    value = fd_recall(table, key)
    return None if value is NULL else <object>value


cdef inline bint is_head(str method):
    # Most methods are told by their length.
    return PyUnicode_GET_LENGTH(method) == 4 and method == "HEAD"


cdef inline bytes utf8(str text):
    return PyUnicode_AsUTF8String(text)


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


cdef inline bint contains(str text, str part) noexcept:
    # Both are ASCII, and there is something in part.
    cdef const char *at = <const char *>PyUnicode_DATA(text)
    cdef const char *wanted = <const char *>PyUnicode_DATA(part)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(part)
    cdef const char *stop = at + PyUnicode_GET_LENGTH(text) - size + 1
    while at < stop:
        at = <const char *>memchr(at, wanted[0], stop - at)
        if at is NULL:
            return False
        if memcmp(at, wanted, size) == 0:
            return True
        at += 1
    return False


cdef inline bint lacks_cookie(object environ, object name) except -1:
    cdef PyObject *cookies
    if (
        type(environ) is not dict
        or type(name) is not str
        or not PyUnicode_IS_ASCII(name)
        or PyUnicode_GET_LENGTH(name) == 0
    ):
        return False
    cookies = fd_recall(environ, "HTTP_COOKIE")
    if cookies is NULL:
        return True
    if type(<object>cookies) is not str or not PyUnicode_IS_ASCII(<object>cookies):
        return False
    return not contains(<str>cookies, <str>name)


cdef inline Py_ssize_t find_char(
    str text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t stop
) except -2:
    return PyUnicode_FindChar(text, char, start, stop, 1)


cdef inline Py_ssize_t rfind_char(
    str text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t stop
) except -2:
    return PyUnicode_FindChar(text, char, start, stop, -1)


cdef inline bint has_double_slash(str text) noexcept:
    cdef int kind = PyUnicode_KIND(text)
    cdef void *data = PyUnicode_DATA(text)
    cdef Py_ssize_t index
    cdef bint slash = False
    for index in range(PyUnicode_GET_LENGTH(text)):
        if PyUnicode_READ(kind, data, index) != u"/":
            slash = False
        elif slash:
            return True
        else:
            slash = True
    return False


cdef enum:
    MAX_TO_INT = 18


cdef inline object to_int(str text, Py_ssize_t start):
    cdef Py_ssize_t stop = PyUnicode_GET_LENGTH(text)
    cdef Py_ssize_t index = start
    cdef const unsigned char *data
    cdef bint minus
    cdef long long value = 0
    if not PyUnicode_IS_ASCII(text):
        return int(text[start:])
    data = <const unsigned char *>PyUnicode_DATA(text)
    minus = data[start] == c"-"
    for index in range(start + minus, stop):
        value = value * 10 + (data[index] - c"0")
    return -value if minus else value


cdef extern from "Python.h":
    object PyUnicode_New(Py_ssize_t, Py_UCS4)
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)
    char *PyBytes_AS_STRING(object)
    Py_ssize_t PyBytes_GET_SIZE(object)
    Py_ssize_t PyTuple_GET_SIZE(object)
    PyObject *PyTuple_GET_ITEM(object, Py_ssize_t)
    PyObject *PyDict_SetDefault(object, object, object) except NULL
    str PyUnicode_FromKindAndData(int, const void *, Py_ssize_t)
    str PyUnicode_DecodeUTF8(const char *, Py_ssize_t, const char *)
    void *PyMem_Malloc(size_t)
    void PyMem_Free(void *)


cdef inline object stored(object target, object key):
    cdef PyObject *value = PyDict_GetItemWithError(target, key)
    return None if value is NULL else <object>value


cdef inline object stored_at(dict target, Py_ssize_t place, object key):
    # PERF: as in holds.
    cdef PyObject *found = NULL
    cdef PyObject *value = NULL
    if PyDict_Next(target, &place, &found, &value) and found is <PyObject *>key:
        return <object>value
    return stored(target, key)


cdef inline bint holds(dict target, bytes places, tuple keys, tuple values) except -1:
    # PERF: a place looked at is a third of a lookup. An attribute's name is interned.
    cdef PyObject *key
    cdef PyObject *value
    cdef Py_ssize_t index
    cdef Py_ssize_t place
    for index in range(PyTuple_GET_SIZE(keys)):
        place = PyBytes_AS_STRING(places)[index]
        key = value = NULL
        if (
            PyDict_Next(target, &place, &key, &value)
            and key is PyTuple_GET_ITEM(keys, index)
            and value is PyTuple_GET_ITEM(values, index)
        ):
            continue
        if stored(target, <object>PyTuple_GET_ITEM(keys, index)) is not (
            <object>PyTuple_GET_ITEM(values, index)
        ):
            return False
    return True


cdef inline int append_value(object target, object name, object value) except -1:
    cdef list fresh = [value]
    cdef PyObject *values = PyDict_SetDefault(target, name, fresh)
    if values is not <PyObject *>fresh:
        (<list>values).append(value)
    return 0


cdef inline int hex_digit(unsigned char c) noexcept:
    if c'0' <= c <= c'9':
        return c - c'0'
    if c'a' <= c <= c'f':
        return c - c'a' + 10
    if c'A' <= c <= c'F':
        return c - c'A' + 10
    return -1


cdef inline str unquoted(const unsigned char *data, Py_ssize_t size, char *buffer):
    # buffer has room for size. UnicodeDecodeError where it is not UTF-8.
    cdef Py_ssize_t index = 0
    cdef Py_ssize_t used = 0
    cdef int high
    cdef int low
    cdef unsigned char c
    while index < size:
        c = data[index]
        index += 1
        if c == c'+':
            c = c' '
        elif c == c'%' and index + 1 < size:
            high = hex_digit(data[index])
            low = hex_digit(data[index + 1])
            if high >= 0 and low >= 0:
                c = <unsigned char>(high * 16 + low)
                index += 2
        buffer[used] = <char>c
        used += 1
    return PyUnicode_DecodeUTF8(buffer, used, NULL)


cdef inline bint read_pairs(str text, object target) except -1:
    cdef const unsigned char *data
    cdef char *buffer = NULL
    cdef Py_ssize_t size
    cdef Py_ssize_t index
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t equals = -1
    cdef bint quoted = False
    cdef unsigned char c
    if not PyUnicode_IS_ASCII(text):
        return False
    data = <const unsigned char *>PyUnicode_DATA(text)
    size = len(text)
    try:
        for index in range(size + 1):
            c = data[index] if index < size else c'&'
            if c == c'&':
                if index > start:
                    if equals < 0:
                        equals = index
                    if not quoted:
                        name = PyUnicode_FromKindAndData(1, data + start, equals - start)
                    else:
                        if buffer is NULL:
                            buffer = <char *>PyMem_Malloc(size)
                            if buffer is NULL:
                                raise MemoryError()
                        name = unquoted(data + start, equals - start, buffer)
                    equals += 1
                    if equals >= index:
                        value = ""
                    elif not quoted:
                        value = PyUnicode_FromKindAndData(1, data + equals, index - equals)
                    else:
                        value = unquoted(data + equals, index - equals, buffer)
                    append_value(target, name, value)
                start = index + 1
                equals = -1
                quoted = False
            elif c == c'=':
                if equals < 0:
                    equals = index
            elif c == c'%' or c == c'+':
                quoted = True
    except UnicodeDecodeError:
        return False
    finally:
        PyMem_Free(buffer)
    return True


cdef inline bint read_cookies(str text, object target) except -1:
    cdef const unsigned char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t index
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t equals = -1
    cdef unsigned char c
    if not PyUnicode_IS_ASCII(text):
        return False
    data = <const unsigned char *>PyUnicode_DATA(text)
    size = len(text)
    for index in range(size + 1):
        c = data[index] if index < size else c';'
        if c == c';':
            if equals < 0:
                equals = index
            if equals > start:
                name = PyUnicode_FromKindAndData(1, data + start, equals - start)
                equals += 1
                if equals >= index:
                    value = ""
                else:
                    value = PyUnicode_FromKindAndData(1, data + equals, index - equals)
                append_value(target, name, value)
            start = index + 1
            equals = -1
        elif c == c' ':
            if index > start:
                return False
            start = index + 1
        elif c == c'=':
            if equals < 0:
                equals = index
        elif c == c'"' or c == c'\t':
            return False
    return True


cdef extern from "Python.h":
    Py_ssize_t PyUnicode_FindChar(
        object text, Py_UCS4 character, Py_ssize_t start, Py_ssize_t stop, int direction
    ) except -2


cdef inline object find_cookie(str text, str name):
    cdef const char *data
    cdef const char *wanted
    cdef Py_ssize_t size
    cdef Py_ssize_t wanted_size
    cdef Py_ssize_t index
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t equals = -1
    cdef char c
    if not PyUnicode_IS_ASCII(text) or not PyUnicode_IS_ASCII(name):
        return None
    data = <const char *>PyUnicode_DATA(text)
    size = len(text)
    wanted = <const char *>PyUnicode_DATA(name)
    wanted_size = len(name)
    for index in range(size + 1):
        c = data[index] if index < size else c';'
        if c == c';':
            if equals < 0:
                equals = index
            if (
                equals > start
                and equals - start == wanted_size
                and memcmp(data + start, wanted, wanted_size) == 0
            ):
                equals += 1
                if equals >= index:
                    return ""
                return PyUnicode_FromKindAndData(1, data + equals, index - equals)
            start = index + 1
            equals = -1
        elif c == c' ':
            if index > start:
                return None
            start = index + 1
        elif c == c'=':
            if equals < 0:
                equals = index
        elif c == c'"' or c == c'\t':
            return None
    return ""


cdef inline bint may_shrink(bytes data) noexcept:
    return len(data) > 11


cdef extern from *:
    """
    static const char fd_base64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static CYTHON_INLINE int fd_base64_value(unsigned char c) {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
    }
    """
    const char *fd_base64
    int fd_base64_value(unsigned char c) noexcept


cdef inline str to_base64(bytes data):
    cdef const unsigned char *source = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t left = size % 3
    cdef object text = PyUnicode_New(size // 3 * 4 + (left + 1 if left else 0), 127)
    cdef char *target = <char *>PyUnicode_DATA(text)
    cdef Py_ssize_t index
    cdef unsigned int bits
    for index in range(0, size - 2, 3):
        bits = (source[0] << 16) | (source[1] << 8) | source[2]
        target[0] = fd_base64[bits >> 18]
        target[1] = fd_base64[(bits >> 12) & 63]
        target[2] = fd_base64[(bits >> 6) & 63]
        target[3] = fd_base64[bits & 63]
        source += 3
        target += 4
    if left:
        bits = source[0] << 16
        if left == 2:
            bits |= source[1] << 8
            target[2] = fd_base64[(bits >> 6) & 63]
        target[0] = fd_base64[bits >> 18]
        target[1] = fd_base64[(bits >> 12) & 63]
    return <str>text


cdef inline bytes from_base64(str text, Py_ssize_t start):
    # start is not beyond the end of text.
    cdef const unsigned char *source = <const unsigned char *>PyUnicode_DATA(text)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text) - start
    cdef Py_ssize_t index
    cdef object data
    cdef char *target
    cdef unsigned int bits = 0
    cdef int have = 0
    cdef int value
    if not PyUnicode_IS_ASCII(text) or size % 4 == 1:
        return None
    data = PyBytes_FromStringAndSize(NULL, size * 3 // 4)
    target = PyBytes_AS_STRING(data)
    for index in range(start, start + size):
        value = fd_base64_value(source[index])
        if value < 0:
            return None
        bits = (bits << 6) | <unsigned int>value
        have += 6
        if have >= 8:
            have -= 8
            target[0] = <char>(bits >> have)
            target += 1
            bits &= (1 << have) - 1
    return <bytes>data


cdef inline bint has_newline(str text) except -1:
    cdef Py_ssize_t size = len(text)
    if PyUnicode_IS_ASCII(text):
        return (
            memchr(PyUnicode_DATA(text), 10, size) is not NULL
            or memchr(PyUnicode_DATA(text), 13, size) is not NULL
        )
    return (
        PyUnicode_FindChar(text, 10, 0, size, 1) >= 0
        or PyUnicode_FindChar(text, 13, 0, size, 1) >= 0
    )


cdef extern from *:
    """
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


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object)
    bint PyTuple_CheckExact(object)


cdef inline Py_ssize_t header_size(object item) except -2:
    cdef PyObject *name
    cdef PyObject *value
    if not PyTuple_CheckExact(item) or PyTuple_GET_SIZE(item) != 2:
        return -1
    name = PyTuple_GET_ITEM(item, 0)
    value = PyTuple_GET_ITEM(item, 1)
    if (
        not PyUnicode_CheckExact(<object>name)
        or not PyUnicode_CheckExact(<object>value)
        or has_newline(<str>value)
    ):
        return -1
    return PyUnicode_GET_LENGTH(<object>name)


cdef extern from "Python.h":
    object PyContextVar_Set(object var, object value)
    int PyContextVar_Reset(object var, object token) except -1

cdef extern from *:
    """
    static CYTHON_INLINE PyObject *fd_var_find(PyObject *var) {
        PyObject *value;
        if (PyContextVar_Get(var, Py_None, &value) < 0) return NULL;
        return value;
    }
    """
    object fd_var_find(object var)


cdef inline object var_find(object var):
    return fd_var_find(var)


cdef inline object var_set(object var, object value):
    return PyContextVar_Set(var, value)


cdef inline int var_reset(object var, object token) except -1:
    return PyContextVar_Reset(var, token)


cdef extern from *:
    """
    static CYTHON_INLINE int fd_is_cell(PyObject *value) {
        /* Any program finds the variable in a copy of its context, and may set it, and
           change the list that it finds there. */
        return PyList_CheckExact(value) && PyList_GET_SIZE(value) > 0;
    }
    /* A variable whose value is a list of one, of what is current or None. The list stays
       from request to request, and what is in it is replaced, wherever setting the
       variable could not be told from that: where the context in force has the only
       reference to its mapping, that has the only one to its root, and that has the only
       one to the list. For a copy of the context refers to the same mapping, a copy in
       which another variable was set since to parts of it or to the list, and so does
       whoever looks through a context or has a Token. */
    #if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED) \
        && !defined(PYPY_VERSION)
    struct fd_root { PyObject_VAR_HEAD uint32_t bitmap; PyObject *items[1]; };
    struct fd_mapping { PyObject_HEAD struct fd_root *root; };
    struct fd_context { PyObject_HEAD PyObject *before; struct fd_mapping *mapping; };
    /* The type of small roots, once it was seen that all of this is so. */
    static PyTypeObject *fd_small_root = NULL;

    static CYTHON_INLINE PyObject *fd_cell_in(struct fd_root *root, PyObject *var) {
        Py_ssize_t at;
        if (Py_TYPE(root) != fd_small_root) return NULL;
        for (at = 0; at < Py_SIZE(root); at += 2)
            if (root->items[at] == var)
                return fd_is_cell(root->items[at + 1]) ? root->items[at + 1] : NULL;
        return NULL;
    }
    static CYTHON_INLINE PyObject *fd_cell(PyObject *var) {
        struct fd_context *context =
            (struct fd_context *)PyThreadState_Get()->context;
        return context == NULL ? NULL : fd_cell_in(context->mapping->root, var);
    }
    static CYTHON_INLINE PyObject *fd_own_cell(PyObject *var) {
        struct fd_context *context =
            (struct fd_context *)PyThreadState_Get()->context;
        PyObject *cell;
        if (context == NULL || Py_REFCNT(context->mapping) != 1
            || Py_REFCNT(context->mapping->root) != 1) return NULL;
        cell = fd_cell_in(context->mapping->root, var);
        return cell != NULL && Py_REFCNT(cell) == 1 ? cell : NULL;
    }
    /* Whether it is so, in a new context in which var is the only variable. */
    static int fd_cell_stays(PyObject *var, struct fd_context *context) {
        PyObject *cell = PyList_New(1), *token, *copy;
        int stays;
        if (cell == NULL) return -1;
        PyList_SET_ITEM(cell, 0, Py_NewRef(Py_None));
        token = PyContextVar_Set(var, cell);
        Py_DECREF(cell);
        if (token == NULL) return -1;
        Py_DECREF(token);
        if (strcmp(Py_TYPE(context->mapping)->tp_name, "hamt") != 0) return 0;
        fd_small_root = Py_TYPE(context->mapping->root);
        if (strcmp(fd_small_root->tp_name, "hamt_bitmap_node") != 0) return 0;
        stays = Py_SIZE(context->mapping->root) == 2 && fd_own_cell(var) == cell;
        copy = PyContext_CopyCurrent();
        if (copy == NULL) return -1;
        stays = stays && fd_own_cell(var) == NULL;
        Py_DECREF(copy);
        return stays && fd_own_cell(var) == cell;
    }
    static int fd_prove_cells(PyObject *var) {
        PyObject *context = PyContext_New();
        int stays = -1;
        if (context == NULL) return -1;
        if (PyContext_Enter(context) == 0) {
            stays = fd_cell_stays(var, (struct fd_context *)context);
            if (PyContext_Exit(context) < 0) stays = -1;
        }
        Py_DECREF(context);
        if (stays != 1) fd_small_root = NULL;
        return stays;
    }
    #else
    #define fd_cell(var) ((void)(var), (PyObject *)NULL)
    #define fd_own_cell(var) ((void)(var), (PyObject *)NULL)
    #define fd_prove_cells(var) ((void)(var), 0)
    #endif

    static PyObject *fd_value(PyObject *var) {
        PyObject *cell, *value;
        if (PyContextVar_Get(var, Py_None, &cell) < 0) return NULL;
        /* What somebody else has set stands for itself. */
        if (!fd_is_cell(cell) && !PyList_CheckExact(cell)) return cell;
        value = Py_NewRef(fd_is_cell(cell) ? PyList_GET_ITEM(cell, 0) : Py_None);
        Py_DECREF(cell);
        return value;
    }
    static CYTHON_INLINE PyObject *fd_current(PyObject *var) {
        PyObject *cell = fd_cell(var);
        return cell == NULL ? fd_value(var) : Py_NewRef(PyList_GET_ITEM(cell, 0));
    }
    static PyObject *fd_make_current(PyObject *var, PyObject *value) {
        PyObject *cell = fd_own_cell(var), *before, *token;
        if (cell != NULL) {
            before = PyList_GET_ITEM(cell, 0);
            PyList_SET_ITEM(cell, 0, Py_NewRef(value));
            return before;
        }
        before = fd_current(var);
        if (before == NULL) return NULL;
        cell = PyList_New(1);
        if (cell == NULL) { Py_DECREF(before); return NULL; }
        PyList_SET_ITEM(cell, 0, Py_NewRef(value));
        token = PyContextVar_Set(var, cell);
        Py_DECREF(cell);
        if (token == NULL) { Py_DECREF(before); return NULL; }
        Py_DECREF(token);
        return before;
    }
    """
    bint fd_prove_cells(object var) except -1
    object fd_current(object var)
    object fd_make_current(object var, object value)


cdef inline bint prove_cells(object var) except -1:
    return fd_prove_cells(var)


cdef inline object current(object var):
    return fd_current(var)


cdef inline object enter(object var, object value):
    cdef object before = fd_make_current(var, value)
    return var if before is None else before


cdef inline int leave(object var, object before) except -1:
    fd_make_current(var, None if before is var else before)
    return 0


cdef inline bint same_items(dict table, tuple names, tuple values) except -1:
    cdef PyObject *found
    cdef Py_ssize_t i
    for i in range(len(names)):
        found = PyDict_GetItemWithError(table, names[i])
        if found is NULL:
            if values[i] is not None:
                return False
        elif <object>found is not values[i]:
            return False
    return True


cdef inline bint identical(tuple values, tuple others) except -1:
    cdef Py_ssize_t i
    if len(values) != len(others):
        return False
    for i in range(len(values)):
        if values[i] is not others[i]:
            return False
    return True
