cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8(object text) except NULL
    object PyContextVar_New(const char *name, object standard)
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


cdef inline object new_var(str name):
    return PyContextVar_New(PyUnicode_AsUTF8(name), None)


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
    /* The fields below are CPython's own, compared with its headers up to 3.15; another
       version is to be added when it has been, and tests/unit/test_cells.py passes. */
    #if PY_VERSION_HEX < 0x03100000 && !defined(Py_GIL_DISABLED) \
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
