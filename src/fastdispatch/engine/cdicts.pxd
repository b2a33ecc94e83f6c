from cpython.object cimport PyObject


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


cdef inline object table_get(object table, object key):
    cdef PyObject *value
    if not fd_reads_as_dict(table):
        # A mapping of another kind, or a dict that looks up in its own way.
        return table[key] if key in table else None
    value = PyDict_GetItemWithError(table, key)
    if value is NULL:
        return None
    return <object>value


cdef inline object scoped(object table, object name):
    # PERF: the application's is most often the first entry: a place looked at is a
    # third of a lookup.
    cdef PyObject *key = NULL
    cdef PyObject *value = NULL
    cdef Py_ssize_t place = 0
    if name is not None:
        return table_recall(table, name)
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
        /* What is not in it comes from elsewhere. */
        if (PyObject_HasAttrString((PyObject *)Py_TYPE(table), "__missing__")) return 0;
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


cdef inline bint watch(object table) except -1:
    return fd_watch(table)


cdef inline bint watch_type(object cls) except -1:
    return fd_watch_type(cls)


cdef inline unsigned long long watched_changes() noexcept:
    return fd_changes_watched()


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


cdef extern from "Python.h":
    char *PyBytes_AS_STRING(object)
    Py_ssize_t PyTuple_GET_SIZE(object)
    PyObject *PyTuple_GET_ITEM(object, Py_ssize_t)
    PyObject *PyDict_SetDefault(object, object, object) except NULL


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
